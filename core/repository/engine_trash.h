// SPDX-License-Identifier: Apache-2.0
//
// The end of a snapshot: what lies in the trash, and its removal from there.
#pragma once

#include "core/repository/engine_parts.h"

namespace cb::repository {

// As Engine::remove and Engine::trash. Neither holds the chain's mutex before.
Result<CommitRecord> remove_snapshot(EngineParts& engine, CommitChain& chain,
                                     const BlobId& snapshot);
Result<std::vector<Engine::Trashed>> list_trash(EngineParts& engine, CommitChain& chain);

}  // namespace cb::repository
