// SPDX-License-Identifier: Apache-2.0
//
// Records of a repository that are replaced: its own with its key slots, and those of sessions.
// Store and catalog are two, so a change is first written down whole in the store. Until the
// catalog has it, all is old; from then on all is new, and what the store lacks is made up for from
// the catalog. Functions keep nothing.
#pragma once

#include "core/repository/engine_parts.h"

namespace cb::repository {

std::string record_object(const RepositoryId& repository);
std::string slot_prefix(const RepositoryId& repository);
std::string slot_object(const RepositoryId& repository, const SlotId& slot);
std::string device_object(const RepositoryId& repository, const DeviceId& device);
// A session record that was replaced.
std::string session_object(const RepositoryId& repository, const SessionId& session);
// The change under way, a RecordChange. Where it is and no catalog, it is what counts.
std::string change_object(const RepositoryId& repository);

// Ends a change that was broken off, and learns the newest epoch. The chain's mutex is held.
Status settle_change(EngineParts& engine, CommitChain& chain);

// See Engine.
Status put_record(EngineParts& engine, CommitChain& chain, const RepositoryRecord& record,
                  const std::optional<std::vector<KeySlot>>& slots);
// For a copy of another server's repository: a record and all its slots, whatever revision there
// was; the caller has judged them.
Status replace_record(EngineParts& engine, CommitChain& chain, const RepositoryRecord& record,
                      const std::vector<KeySlot>& slots);
Status add_slot(EngineParts& engine, CommitChain& chain, const KeySlot& slot);
Status remove_slot(EngineParts& engine, CommitChain& chain, const SlotId& slot);
Result<std::vector<SessionEntry>> list_sessions(EngineParts& engine, const CommitChain& chain,
                                                uint32_t epoch, const SessionId& after,
                                                size_t most);
Status put_sessions(EngineParts& engine, CommitChain& chain,
                    std::span<const SessionEntry> sessions);

}  // namespace cb::repository
