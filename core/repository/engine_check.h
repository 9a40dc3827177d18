// SPDX-License-Identifier: Apache-2.0
//
// Looks whether a repository's index, packs and commits fit together, and clears away what a crash
// left. Functions keep nothing.
#pragma once

#include "core/repository/engine_parts.h"

namespace cb::repository {

// See Engine::check.
Result<Engine::Checked> check_repository(EngineParts& engine, const RepositoryId& repository,
                                         bool read_data, const Engine::CheckProgress& progress);

// See Engine::unlisted.
Result<std::vector<RepositoryId>> unlisted_repositories(EngineParts& engine);

// See Engine::drop_stale_uploads.
Result<uint64_t> drop_stale_uploads(EngineParts& engine, CommitChain& chain);

// See Engine::remove_leftovers: how many objects were removed.
Result<uint64_t> remove_leftovers(EngineParts& engine);

}  // namespace cb::repository
