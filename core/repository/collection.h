// SPDX-License-Identifier: Apache-2.0
//
// Collection: finds blobs that no snapshot needs, and removes them while backups run
// (docs/collection.md, which says why each step is safe). Functions keep nothing.
#pragma once

#include "core/repository/engine_parts.h"

namespace cb::repository {

// See Engine. Waits for a collection or compaction of the repository that is under way.
Result<Engine::Collected> collect(EngineParts& engine, CommitChain& chain,
                                  const Engine::CollectOptions& options,
                                  const Engine::CheckProgress& progress);

}  // namespace cb::repository
