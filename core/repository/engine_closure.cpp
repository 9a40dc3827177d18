// SPDX-License-Identifier: Apache-2.0
//
// See engine_closure.h.
#include "core/repository/engine_closure.h"

#include <algorithm>

namespace cb::repository {
namespace {

constexpr size_t kNodesAtOnce = 256;  // a blob may bring a quarter of a MiB of children
constexpr size_t kMostAsked = 256 * 1024;

}  // namespace

void ClosureWalk::miss(const BlobId& id) {
  if (missing_.size() < kMaxMissing && missed_.insert(id).second) missing_.push_back(id);
}

void ClosureWalk::ask(const BlobId& id) {
  if (asked_.size() >= kMostAsked) asked_.clear();
  if (!asked_.insert(id).second) return;
  waiting_.push_back(id);
  ++count_;
}

void ClosureWalk::take(const catalog::BlobLink& link) {
  if (link.children.empty() || (link.closed && trust_ == Trust::closed)) return;
  if (!seen_.insert(link.number).second) return;
  if (link.domain == view_.domain || view_.domain > catalog::kOpenDomain)
    walked_.push_back(link.number);
  for (size_t at = 0; at < link.children.size(); at += BlobId::kSize) {
    BlobId child;
    std::copy_n(link.children.begin() + static_cast<ptrdiff_t>(at), BlobId::kSize,
                child.bytes.begin());
    ask(child);
  }
}

Status ClosureWalk::walk(const BlobId& from) {
  ask(from);
  std::vector<catalog::Bytes32> batch;
  while (!waiting_.empty() && missing_.size() < kMaxMissing) {
    batch.clear();
    for (; !waiting_.empty() && batch.size() < kNodesAtOnce; waiting_.pop_back())
      batch.push_back(waiting_.back().bytes);
    CB_ASSIGN(const auto links, index_.links(repository_, view_, batch));
    for (size_t i = 0; i < batch.size(); ++i) {
      if (links[i])
        take(*links[i]);
      else
        miss(BlobId{batch[i]});
    }
  }
  waiting_.clear();
  return {};
}

}  // namespace cb::repository
