// SPDX-License-Identifier: Apache-2.0
#include "core/replication/closure_copy.h"

#include <algorithm>

namespace cb::replication {

using repository::BlobId;

Result<std::vector<BlobId>> ClosureCopy::bring(std::span<const BlobId> from) {
  waiting_.assign(from.begin(), from.end());
  while (!waiting_.empty()) CB_TRY(step());
  CB_TRY(blobs_.flush());
  return std::exchange(lacking_, {});
}

// The newest of the frontier first: so it stays as short as the tree is deep.
Status ClosureCopy::step() {
  if (seen_.size() > bounds_.nodes || waiting_.size() > bounds_.waiting)
    return failed(Code::limit, "a snapshot", "has more file lists than any snapshot has",
                  "ask the source's operator what happened; what is here stays as it is");
  const size_t count = std::min(waiting_.size(), ArrivingBlobs::kMostAtOnce);
  std::vector<BlobId> ids(waiting_.end() - static_cast<ptrdiff_t>(count), waiting_.end());
  waiting_.resize(waiting_.size() - count);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  CB_ASSIGN(const auto here, replicas_.look_up(repository_, viewer_, ids));
  std::vector<BlobId> absent;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!here[i])
      absent.push_back(ids[i]);
    else if (!here[i]->is_closed)
      go_below(ids[i], here[i]->children);
  }
  return absent.empty() ? Status() : fetch(absent);
}

void ClosureCopy::go_below(const BlobId& id, const std::vector<BlobId>& children) {
  if (children.empty() || !seen_.insert(id).second) return;
  waiting_.insert(waiting_.end(), children.begin(), children.end());
}

// What is on its way was gone below when it came.
Status ClosureCopy::fetch(std::span<const BlobId> absent) {
  CB_ASSIGN(const std::vector<bool> coming, blobs_.have(viewer_, absent));
  std::vector<BlobId> ids;
  for (size_t i = 0; i < absent.size(); ++i)
    if (!coming[i]) ids.push_back(absent[i]);
  if (ids.empty()) return {};
  const auto came = [&](const repository::BlobHead& head) { go_below(head.id, head.children); };
  CB_ASSIGN(const std::vector<BlobId> missing, blobs_.fetch(viewer_, ids, came));
  for (const BlobId& id : missing)
    if (lacking_.size() < kMostLacking) lacking_.push_back(id);
  return {};
}

}  // namespace cb::replication
