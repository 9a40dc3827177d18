// SPDX-License-Identifier: Apache-2.0
#include "core/server/v3_cipher.h"

#include <algorithm>

namespace cb::server {
namespace {

constexpr size_t kBlock = 16;
// Peers fill their last packet up to 1,024 bytes; more is not fill.
constexpr uint64_t kMaxFill = 65536;

bool all_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

// Where plain bytes pass through on their way to the sink; one for each worker thread.
ByteSpan scratch() {
  thread_local Bytes memory(V3Cipher::kChunk + kBlock);
  return memory;
}

Error malformed(std::string cause) { return fail(Code::corrupt, "upload", std::move(cause)); }

}  // namespace

V3Cipher::V3Cipher(plugin::Open open, uint64_t cipher_size, std::optional<uint64_t> plain_size)
    : open_(std::move(open)), cipher_size_(cipher_size), plain_size_(plain_size) {}

size_t V3Cipher::target() const {
  if (!first_block_seen_) return kBlock;
  return static_cast<size_t>(std::min<uint64_t>(kChunk, cipher_size_ - opened_));
}

size_t V3Cipher::wanted() const {
  const size_t rest = first_block_seen_ ? target() - held_.size() : kChunk;
  return rest == 0 ? kChunk : rest;
}

Status V3Cipher::feed(ByteView cipher, const PlainSink& sink) {
  while (!cipher.empty()) {
    if (opened_ == cipher_size_) return skip_fill(cipher);
    if (held_.empty() && first_block_seen_ && cipher.size() >= target()) {
      const ByteView chunk = cipher.first(target());
      cipher = cipher.subspan(chunk.size());
      CB_TRY(open_chunk(chunk, sink));
      continue;
    }
    const size_t take = std::min(target() - held_.size(), cipher.size());
    held_.reserve(target());
    held_.insert(held_.end(), cipher.begin(), cipher.begin() + static_cast<ptrdiff_t>(take));
    cipher = cipher.subspan(take);
    if (held_.size() == kBlock && !first_block_seen_) {
      first_block_seen_ = true;
      if (all_zero(held_)) held_.clear();
    }
    if (first_block_seen_ && held_.size() == target()) {
      CB_TRY(open_chunk(held_, sink));
      held_.clear();
    }
  }
  return {};
}

Status V3Cipher::open_chunk(ByteView chunk, const PlainSink& sink) {
  const uint64_t index = opened_ / kChunk;
  const bool last = opened_ + chunk.size() == cipher_size_;
  CB_ASSIGN(const size_t plain, open_.chunk(index, last, chunk, scratch()));
  opened_ += chunk.size();
  plain_bytes_ += plain;
  if (last && plain_size_ && plain_bytes_ != *plain_size_)
    return failed(malformed("opens to " + std::to_string(plain_bytes_) + " bytes, " +
                            std::to_string(*plain_size_) + " were announced"));
  return plain == 0 ? Status{} : sink(scratch().first(plain));
}

Status V3Cipher::skip_fill(ByteView fill) {
  fill_bytes_ += fill.size();
  if (fill_bytes_ > kMaxFill || !all_zero(fill))
    return failed(malformed("has more bytes than its size allows"));
  return {};
}

Status V3Cipher::finish() const {
  if (opened_ == cipher_size_) return {};
  return failed(malformed("ended after " + std::to_string(opened_ + held_.size()) + " of " +
                          std::to_string(cipher_size_) + " bytes of ciphertext"));
}

}  // namespace cb::server
