// SPDX-License-Identifier: Apache-2.0
#include "core/client/restore_window.h"

namespace cb::client {

using repository::BlobId;
using repository::BlobKind;
using repository::Extent;
using repository::PlainBlob;

namespace {

constexpr size_t kMostBlobs = 256;
constexpr size_t kMostUses = 16384;  // some MiB of memory with their entries
constexpr size_t kMostOpen = 256;    // descriptors: systems give 1,024

}  // namespace

void RestoreWindow::add(const std::shared_ptr<RestoreFile>& file, uint64_t offset,
                        const Extent& extent) {
  file->expect_piece();
  const auto [place, fresh] = uses_.try_emplace(extent.blob);
  if (fresh) order_.push_back(extent.blob);
  place->second.push_back({file, offset, extent.offset, extent.length});
  ++use_count_;
  if (++pieces_of_file_ == 2) ++open_files_;
}

void RestoreWindow::end_file() { pieces_of_file_ = 0; }

bool RestoreWindow::full() const {
  return order_.size() >= kMostBlobs || use_count_ >= kMostUses || open_files_ >= kMostOpen;
}

Status RestoreWindow::write(const BlobId& id, const PlainBlob& blob, const std::vector<Use>& uses) {
  const ByteView plain = blob.plain;
  for (const Use& use : uses) {
    const bool fits = blob.kind == BlobKind::data && use.blob_offset <= plain.size() &&
                      use.length <= plain.size() - use.blob_offset;
    if (fits)
      CB_TRY(use.file->write_piece(use.file_offset, plain.subspan(use.blob_offset, use.length)));
    else
      CB_TRY(use.file->lose_piece(fail(Code::corrupt, "blob " + id.hex(),
                                       "does not hold the stretch that the snapshot names")));
  }
  return {};
}

Status RestoreWindow::run(BlobFetcher& fetcher, unsigned threads,
                          const std::atomic<bool>& cancelled) {
  const auto answer = [&](const BlobId& id, Result<PlainBlob> blob) -> Status {
    if (cancelled) return failed(Code::cancelled, "restore", "was cancelled");
    const std::vector<Use>& uses = uses_.at(id);
    if (blob) return write(id, *blob, uses);
    for (const Use& use : uses) CB_TRY(use.file->lose_piece(blob.error()));
    return {};
  };
  const Status done = fetcher.fetch(order_, threads, answer);
  if (!done && done.error().code != Code::no_space)
    for (const auto& [id, uses] : uses_)
      for (const Use& use : uses) use.file->keep_for_later();
  order_.clear();
  uses_.clear();
  use_count_ = pieces_of_file_ = open_files_ = 0;
  return done;
}

}  // namespace cb::client
