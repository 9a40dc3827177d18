// SPDX-License-Identifier: Apache-2.0
//
// Writing a stored upload (docs/upload-format.md, "Chunks and frames").
#include "core/repository/sealed_upload.h"

#include <algorithm>
#include <utility>

#include "core/repository/object_format.h"

namespace cb::repository {
namespace {

// Compression must save a thirty-second part, else reading back is not worth its cost.
constexpr size_t kLeastSaving = 32;

// Memory for one call, kept for each thread and not for each upload. Two at most are in use at
// once.
ByteSpan scratch(size_t slot, size_t size) {
  thread_local std::array<Bytes, 2> memory;
  Bytes& bytes = memory.at(slot);
  if (bytes.size() < size) bytes.resize(size);
  return ByteSpan(bytes).first(size);
}

constexpr size_t kCompressSlot = 0;
constexpr size_t kSealSlot = 1;

}  // namespace

SealedUpload::SealedUpload(std::string name, plugin::Put put, plugin::Seal seal,
                           const plugin::Compress* compress, ChunkSizes sizes, uint64_t header_size)
    : name_(std::move(name)),
      put_(std::move(put)),
      seal_(std::move(seal)),
      compress_(compress),
      sizes_(sizes),
      stored_size_(header_size) {
  // Exactly, since growing by doubling would take up to twice as much. Untouched pages cost
  // nothing.
  frame_.reserve(kFramePlain);
  chunk_.reserve(sizes_.plain);
}

Status SealedUpload::check_usable() const {
  if (!spent_) return {};
  return failed(Code::state, name_, "was committed, or failed before");
}

Status SealedUpload::write(ByteView plain) {
  CB_TRY(check_usable());
  Status done = take(plain);
  // A half-written object must not be committed by somebody who overlooks this error.
  if (!done) spent_ = true;
  return done;
}

Status SealedUpload::take(ByteView plain) {
  if (!frame_.empty()) {
    const ByteView head = plain.first(std::min(plain.size(), kFramePlain - frame_.size()));
    frame_.insert(frame_.end(), head.begin(), head.end());
    plain = plain.subspan(head.size());
    if (frame_.size() < kFramePlain) return {};
    CB_TRY(add_frame(frame_));
    frame_.clear();
  }
  for (; plain.size() >= kFramePlain; plain = plain.subspan(kFramePlain))
    CB_TRY(add_frame(plain.first(kFramePlain)));
  frame_.assign(plain.begin(), plain.end());
  return {};
}

Status SealedUpload::commit() {
  CB_TRY(check_usable());
  spent_ = true;
  if (!frame_.empty()) CB_TRY(add_frame(frame_));
  CB_TRY(seal_chunk(true));
  return put_.commit();
}

Status SealedUpload::add_frame(ByteView plain) {
  Frame frame{static_cast<uint32_t>(plain.size()), false, plain};
  if (probe_.worth_trying(plain)) {
    CB_ASSIGN(const size_t bound, compress_->bound(plain.size()));
    const ByteSpan out = scratch(kCompressSlot, bound);
    CB_ASSIGN(const size_t packed, compress_->compress(plain, out));
    frame.compressed = packed > 0 && packed < plain.size() - plain.size() / kLeastSaving;
    if (frame.compressed) frame.stored = out.first(packed);
    probe_.tried(frame.compressed);
  }
  std::array<std::byte, kFrameHeaderSize> header{};
  encode_frame_header(frame, header);
  CB_TRY(append(header));
  return append(frame.stored);
}

Status SealedUpload::append(ByteView sealed_plaintext) {
  while (!sealed_plaintext.empty()) {
    // Only when more comes is a full chunk known not to be the last.
    if (chunk_.size() == sizes_.plain) CB_TRY(seal_chunk(false));
    const size_t room = sizes_.plain - chunk_.size();
    const ByteView part = sealed_plaintext.first(std::min(room, sealed_plaintext.size()));
    chunk_.insert(chunk_.end(), part.begin(), part.end());
    sealed_plaintext = sealed_plaintext.subspan(part.size());
  }
  return {};
}

Status SealedUpload::seal_chunk(bool last) {
  const ByteSpan out = scratch(kSealSlot, chunk_.size() + sizes_.overhead);
  CB_ASSIGN(const size_t size, seal_.chunk(chunk_, last, out));
  if (size != chunk_.size() + sizes_.overhead)
    return failed(Code::internal, name_, "the crypto plugin sealed a chunk to an unexpected size",
                  "report this to the plugin's author");
  CB_TRY(put_.write(out.first(size)));
  stored_size_ += size;
  chunk_.clear();
  return {};
}

}  // namespace cb::repository
