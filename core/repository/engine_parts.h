// SPDX-License-Identifier: Apache-2.0
//
// What an engine shares with its intakes. Thread-safe.
#pragma once

#include <map>
#include <mutex>

#include "core/repository/engine_chain.h"
#include "core/repository/engine_space.h"
#include "core/repository/in_flight.h"
#include "core/repository/pack.h"

namespace cb::repository {

class EngineParts {
 public:
  explicit EngineParts(Engine::Parts given)
      : parts(std::move(given)), space(*parts.store, *parts.clock, parts.limits) {}

  // Whose copies count for a viewer (docs/trust.md, "Leaning"): a domain of the catalog.
  Result<int64_t> domain_of(const CommitChain& chain, const Viewer& viewer) const;
  // What the catalog knows of a device; of one that it does not know, the server itself.
  Result<Viewer> viewer_of(const DeviceId& device) const;
  // The chain of a repository, loaded. Code::not_found for an unknown repository.
  Result<std::shared_ptr<CommitChain>> chain(const RepositoryId& repository);
  // What the intakes of a repository are bringing that everybody may lean on.
  std::shared_ptr<InFlight> in_flight(const RepositoryId& repository);
  // The answer to a commit; `domain` is the device's, or the private intake's number, `growth` what
  // its intake has stored.
  Result<CommitAnswer> commit(CommitChain& chain, const CommitRequest& request,
                              const DeviceId& device, int64_t domain, uint64_t growth);
  // After a failed commit: may its record be in the store all the same? True when it cannot be
  // told.
  bool may_have_record(CommitChain& chain);
  // A forget or an undelete.
  Result<CommitRecord> wish(CommitChain& chain, CommitType type, const BlobId& snapshot,
                            const DeviceId& device);

  [[nodiscard]] catalog::Index& index() const { return parts.catalog->index(); }
  [[nodiscard]] catalog::Collection& collection() const { return parts.catalog->collection(); }

  Engine::Parts parts;
  SpaceGuard space;

 private:
  std::mutex mutex_;
  std::map<RepositoryId, std::shared_ptr<CommitChain>> chains_;  // guarded by mutex_
  std::map<RepositoryId, std::shared_ptr<InFlight>> in_flight_;  // guarded by mutex_
};

// The number of a repository; Code::not_found names it.
Result<int64_t> number_of(catalog::Index& index, const RepositoryId& repository);

// The row of a blob of a pack.
catalog::BlobRow row_of(const PackedBlob& blob);

// The catalog's own types hold the same bytes.
std::vector<catalog::Bytes32> bytes_of(std::span<const BlobId> ids);

}  // namespace cb::repository
