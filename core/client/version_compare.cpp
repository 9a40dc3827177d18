// SPDX-License-Identifier: Apache-2.0
#include "core/client/version_compare.h"

#include <algorithm>

#include "core/client/entry_walk.h"
#include "core/client/listing.h"

namespace cb::client {

using repository::BlobId;
using repository::Entry;
using repository::Extent;
using repository::PlainBlob;

namespace {

// Larger files have pieces of their own, which have other names only when they are others.
constexpr uint64_t kMostBytes = 1024 * 1024;
constexpr size_t kKept = 4;  // blobs

bool may_lie_elsewhere(const Entry& a, const Entry& b) {
  return a.kind == b.kind && a.size == b.size && a.size <= kMostBytes && a.extent_root.is_zero() &&
         b.extent_root.is_zero();
}

}  // namespace

Result<std::vector<std::string>> VersionCompare::changes(const Entry& before, const Entry& after) {
  std::vector<std::string> all = changes_between(before, after);
  const auto content = std::find(all.begin(), all.end(), "content");
  if (content == all.end() || !may_lie_elsewhere(before, after)) return all;
  const auto same = same_bytes(before, after);
  if (!same && !is_damage(same.error())) return failed(same.error());
  if (same && *same) all.erase(content);
  return all;
}

Result<bool> VersionCompare::same_bytes(const Entry& a, const Entry& b) {
  CB_ASSIGN(const Bytes one, bytes_of(a));
  CB_ASSIGN(const Bytes other, bytes_of(b));
  return one == other;
}

Result<Bytes> VersionCompare::bytes_of(const Entry& file) {
  Bytes bytes;
  for (const Extent& extent : file.extents) {
    if (extent.length > file.size - bytes.size())
      return failed(Code::corrupt, file.path, "has content beyond its size");
    if (extent.hole) {
      bytes.resize(bytes.size() + extent.length);
      continue;
    }
    CB_ASSIGN(const PlainBlob* from, blob(extent.blob));
    if (extent.offset > from->plain.size() || extent.length > from->plain.size() - extent.offset)
      return failed(Code::corrupt, file.path, "names a stretch that its blob does not hold");
    const ByteView piece = ByteView(from->plain).subspan(extent.offset, extent.length);
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  }
  return bytes;
}

Result<const PlainBlob*> VersionCompare::blob(const BlobId& id) {
  const auto known = std::find_if(lately_.begin(), lately_.end(),
                                  [&](const PlainBlob& blob) { return blob.id == id; });
  if (known != lately_.end()) return &*known;
  CB_ASSIGN(PlainBlob fetched, fetcher_.blob(id));
  if (lately_.size() >= kKept) lately_.pop_front();
  lately_.push_back(std::move(fetched));
  return &lately_.back();
}

}  // namespace cb::client
