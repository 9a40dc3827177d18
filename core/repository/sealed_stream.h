// SPDX-License-Identifier: Apache-2.0
//
// A crypto suite's stream over bytes that lie in memory: what blobs and key slots are sealed with.
// Functions are thread-safe.
#pragma once

#include <functional>

#include "core/plugin/crypto.h"

namespace cb::repository {

// Sizes in bytes, constant for a suite.
struct StreamSizes {
  size_t header = 0;
  size_t chunk_plain = 0;     // of every chunk but the last
  size_t chunk_overhead = 0;  // that sealing adds to a chunk
};

Result<StreamSizes> stream_sizes(const plugin::Crypto& crypto);

// What is sealed, in two parts so that an envelope needs no copy of what it encloses.
struct StreamPlain {
  ByteView head;  // fewer bytes than a chunk
  ByteView body;
};

// Seal header and chunks. A secret plaintext goes into `body` with an empty head: then no copy of
// it is left behind.
Result<Bytes> seal_stream(const plugin::Key& key, const StreamSizes& sizes, ByteView aad,
                          const StreamPlain& plain);

// Opens all chunks into `out`, which has at least sealed.size() bytes, and returns how many were
// written. Code::auth when anything of it is not what was sealed under this key and `aad`.
Result<size_t> open_stream(const plugin::Key& key, const StreamSizes& sizes, ByteView aad,
                           ByteView sealed, ByteSpan out);

// The same a chunk at a time, for who needs no whole plaintext; `sink` gets views that last until
// it returns, and its error ends the opening.
using ChunkSink = std::function<Status(ByteView)>;
Status open_chunks(const plugin::Key& key, const StreamSizes& sizes, ByteView aad, ByteView sealed,
                   const ChunkSink& sink);

}  // namespace cb::repository
