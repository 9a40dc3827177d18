// SPDX-License-Identifier: Apache-2.0
//
// One new pack of a compaction: blobs of one class and domain are copied into it, and their rows
// follow (docs/collection.md, "Compaction"). Functions keep nothing; used by one thread.
#pragma once

#include "core/repository/engine_parts.h"

namespace cb::repository {

// A live blob and the pack that it lies in.
struct MovingBlob {
  catalog::HeldBlob blob;
  int64_t pack = 0;
  PackName name;
};

struct PackRewrite {
  PackClass kind = PackClass::data;
  int64_t domain = 0;      // of all the blobs
  int64_t created_ns = 0;  // when the youngest of the old packs was made
  std::vector<MovingBlob> blobs;
};

struct RewrittenPack {
  uint64_t bytes = 0;  // of the new pack
  uint64_t blobs = 0;  // that moved
};

// Where a blob lies, for reading.
catalog::BlobPlace place_of(const MovingBlob& blob);

// Writes the new pack, makes it durable, and then moves the rows. Code::corrupt when a blob does
// not read right or a session's record is not there: nothing changed then.
Result<RewrittenPack> rewrite_pack(EngineParts& engine, CommitChain& chain,
                                   const PackRewrite& rewrite);

}  // namespace cb::repository
