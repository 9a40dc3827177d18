// SPDX-License-Identifier: Apache-2.0
#include "core/client/patch_mending.h"

#include <algorithm>

namespace cb::client {
namespace {

using repository::BlobSignature;
using repository::kIdHeadroom;

constexpr size_t kMostHeldInPatches = 64 * 1024 * 1024;

}  // namespace

void PatchMending::take(const FineIndex::Described& patch, const repository::PieceHash& hash,
                        ByteView piece) {
  const std::lock_guard lock(mutex_);
  auto at = making_.find(patch.blob);
  if (at == making_.end()) {
    const uint64_t size = patch.signature.size();
    if (held_ + size > kMostHeldInPatches) return;
    Making making;
    making.buffer.resize(kIdHeadroom + size);
    making.there.resize(patch.signature.pieces.size());
    making.missing = making.there.size();
    held_ += size;
    at = making_.emplace(patch.blob, std::move(making)).first;
  }
  // One that is made stays, empty: nobody begins it again.
  if (at->second.missing == 0) return;
  fill(patch.signature, hash, piece, at->second);
  if (at->second.missing > 0) return;
  held_ -= at->second.buffer.size() - kIdHeadroom;
  made_.push_back({patch.blob, std::move(at->second.buffer)});
}

// Equal pieces may lie in it several times.
void PatchMending::fill(const BlobSignature& signature, const repository::PieceHash& hash,
                        ByteView piece, Making& making) {
  size_t offset = kIdHeadroom;
  size_t number = 0;
  for (const BlobSignature::Run& run : signature.runs) {
    for (uint32_t i = 0; i < run.count; ++i, ++number, offset += run.length) {
      const bool is_it = run.length == piece.size() && signature.pieces[number] == hash;
      if (!is_it || number >= making.there.size() || making.there[number]) continue;
      std::copy(piece.begin(), piece.end(), making.buffer.begin() + static_cast<ptrdiff_t>(offset));
      making.there[number] = true;
      --making.missing;
    }
  }
}

std::vector<PatchMending::Made> PatchMending::made() {
  const std::lock_guard lock(mutex_);
  return std::exchange(made_, {});
}

}  // namespace cb::client
