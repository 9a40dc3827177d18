// SPDX-License-Identifier: Apache-2.0
//
// Brings all that hangs below a snapshot from a source, as far as it is not here: what is here and
// whole is not gone into, so what was brought before a kill is not fetched twice. One thread; holds
// a frontier of ids, and the ids of blobs with children that it saw.
#pragma once

#include <unordered_set>

#include "core/replication/arriving_blobs.h"
#include "core/repository/replicas.h"

namespace cb::replication {

class ClosureCopy {
 public:
  // How large a tree may be: a source can make one up that has no end.
  struct Bounds {
    size_t nodes = 4'000'000;     // blobs with children that are not whole here
    size_t waiting = 16'000'000;  // ids of the frontier
  };

  // Both outlive it.
  ClosureCopy(repository::Replicas& replicas, ArrivingBlobs& blobs,
              const repository::RepositoryId& repository, const repository::Viewer& viewer)
      : replicas_(replicas), blobs_(blobs), repository_(repository), viewer_(viewer) {}
  void set_bounds(const Bounds& bounds) { bounds_ = bounds; }

  // From here on down; then everything that came is durable. Returns what the source has not, of
  // which there may be more below: the first kMostLacking. Code::limit beyond the bounds.
  Result<std::vector<repository::BlobId>> bring(std::span<const repository::BlobId> from);

  static constexpr size_t kMostLacking = 100;

 private:
  Status step();
  void go_below(const repository::BlobId& id, const std::vector<repository::BlobId>& children);
  Status fetch(std::span<const repository::BlobId> ids);

  repository::Replicas& replicas_;
  ArrivingBlobs& blobs_;
  const repository::RepositoryId repository_;
  const repository::Viewer viewer_;
  Bounds bounds_;
  std::vector<repository::BlobId> waiting_;
  std::unordered_set<repository::BlobId, repository::IdHash> seen_;  // with children
  std::vector<repository::BlobId> lacking_;
};

}  // namespace cb::replication
