// SPDX-License-Identifier: Apache-2.0
//
// Compaction: which packs are written anew (docs/collection.md, "Compaction"). Functions keep
// nothing.
#pragma once

#include "core/repository/engine_parts.h"

namespace cb::repository {

// See Engine. Waits for a collection or compaction of the repository that is under way.
Result<Engine::Compacted> compact(EngineParts& engine, CommitChain& chain,
                                  const Engine::CompactOptions& options,
                                  const Engine::CheckProgress& progress);

}  // namespace cb::repository
