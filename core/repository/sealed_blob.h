// SPDX-License-Identifier: Apache-2.0
//
// One blob's plaintext to its stored bytes and back (docs/repository-format.md, "Blobs"): envelope,
// compression and stream. Functions are thread-safe.
#pragma once

#include "core/repository/keys.h"

namespace cb::repository {

// The most plain bytes of a kind.
size_t most_plain(BlobKind kind);

// Is the kind sealed under the session's key?
constexpr bool sealed_by_session(BlobKind kind) {
  return kind == BlobKind::data || kind == BlobKind::node || kind == BlobKind::snapshot;
}

// What is bound into a blob's seal.
Bytes blob_associated_data(const RepositoryId& repository, const BlobHead& head);

// Everything that a seal needs besides the plaintext. Views outlive the call.
struct BlobSeal {
  const Suite& suite;
  const StreamSizes& sizes;
  const plugin::Key& key;
  ByteView aad;
};

// Compresses unless a probe says that it will not shrink, and seals.
Result<Bytes> seal_plain(const BlobSeal& how, ByteView plain);

// Opens and decompresses, at most `most` plain bytes. The plaintext lies in memory of this thread
// until its next call, behind `headroom` free bytes, which are part of the result. Code::auth when
// the seal is wrong, Code::corrupt when the inside makes no sense.
Result<ByteSpan> open_plain(const BlobSeal& how, ByteView stored, size_t most, size_t headroom);

// Does `stored` open to exactly `plain`? Goes through it a chunk at a time. Fails like open_plain;
// Code::internal when something else comes out.
Status check_sealed(const BlobSeal& how, ByteView stored, ByteView plain);

}  // namespace cb::repository
