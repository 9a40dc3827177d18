// SPDX-License-Identifier: Apache-2.0
//
// Several copies of one blob, put by devices that do not all vouch for each other: which one is
// read, which are not checked yet, and what becomes of those that are. Functions keep nothing.
#pragma once

#include "core/repository/engine_parts.h"
#include "core/repository/opened_blobs.h"

namespace cb::repository {

// See Engine::read.
Status read_copies(EngineParts& engine, const CommitChain& chain, const Viewer& whose, bool exact,
                   std::span<const BlobId> ids, const Engine::Reader& reader);
// See Engine::copies.
Result<CopyPage> list_copies(EngineParts& engine, const CommitChain& chain, uint64_t after,
                             size_t most);
// See Engine::signatures.
Result<SignaturePage> list_signatures(EngineParts& engine, const CommitChain& chain,
                                      const Viewer& viewer, uint64_t before, size_t most);
// See Engine::verified.
Status take_verdict(EngineParts& engine, CommitChain& chain, const Viewer& whose,
                    std::span<const BlobId> ids, bool bad);

// A further note of copies that an owner verified.
Status write_opened(EngineParts& engine, const CommitChain& chain, const OpenedBlobs& opened);

}  // namespace cb::repository
