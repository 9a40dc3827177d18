// SPDX-License-Identifier: Apache-2.0
//
// Reads blobs out of packs: in the order in which they lie, several that lie close together in one,
// and no more of one in memory than a piece. Functions keep nothing.
#pragma once

#include "core/repository/engine.h"

namespace cb::repository {

// Blobs that are at most kGap apart are read in one go of at most kRun bytes.
constexpr uint64_t kReadGap = 64 * 1024;
constexpr uint64_t kReadRun = 4 * 1024 * 1024;

// Where the blobs of these places are now: asked for when a pack is gone (docs/collection.md).
using Relocate =
    std::function<Result<std::vector<catalog::BlobPlace>>(std::span<const catalog::BlobPlace>)>;

// Calls the reader for every place, each place once. Code::corrupt names pack and blob when the
// record is not that of the place or the stored bytes are not those of their checksum; the reader
// may have been given some of them by then; unless it is told of what is damaged, and then of that
// alone.
Status read_blobs(plugin::Store& store, const RepositoryId& repository,
                  std::vector<catalog::BlobPlace> places, const Engine::Reader& reader,
                  const Relocate& relocate = {});

}  // namespace cb::repository
