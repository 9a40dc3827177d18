// SPDX-License-Identifier: Apache-2.0
//
// Replicas over the engine's parts. Thread-safe.
#pragma once

#include "core/repository/engine_parts.h"
#include "core/repository/replicas.h"

namespace cb::repository {

// The note of a copy in the store, a ReplicaRecord.
std::string replica_object(const RepositoryId& repository);

// May this record be in the chain: did the device that it names sign the snapshot, has the owner
// certified it, and may it write? Code::auth and Code::denied name the commit.
Status check_commit_of_copy(EngineParts& engine, const CommitChain& chain,
                            const CommitRecord& commit);
// May `next` replace `current` in a copy? See Replicas::take_record.
Status check_record_of_copy(const RepositoryRecord& current, const RepositoryRecord& next);
// The slots from now on, with the record `next`: those that come, and those of here that may not
// go. See Replicas::take_record.
struct SlotsOfCopy {
  std::span<const KeySlot> here, coming;
};
Result<std::vector<KeySlot>> slots_of_copy(const RepositoryRecord& current,
                                           const RepositoryRecord& next, const SlotsOfCopy& slots);

std::unique_ptr<Replicas> make_replicas(std::shared_ptr<EngineParts> engine);

}  // namespace cb::repository
