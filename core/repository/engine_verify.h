// SPDX-License-Identifier: Apache-2.0
//
// Verification and healing: see Engine::verify. Functions keep nothing.
#pragma once

#include "core/repository/engine_parts.h"

namespace cb::repository {

Result<Verified> verify_packs(const std::shared_ptr<EngineParts>& engine,
                              const std::shared_ptr<CommitChain>& chain,
                              const VerifyOptions& options, const Engine::CheckProgress& progress);

Result<WantedPage> list_wanted(EngineParts& engine, const CommitChain& chain, const Viewer& viewer,
                               const BlobId& after, size_t most);

// Puts a session's record into a pack once more, for blobs of a domain; the catalog has it.
// Code::not_found when it has not.
Status mend_session(const std::shared_ptr<EngineParts>& engine,
                    const std::shared_ptr<CommitChain>& chain, int64_t domain,
                    const SessionId& session);

}  // namespace cb::repository
