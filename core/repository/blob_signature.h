// SPDX-License-Identifier: Apache-2.0
//
// What a signature blob says of a data blob: the keyed hashes of its pieces, and where it can be
// recognised by (docs/repository-format.md, "Signatures"). Plain values; functions are pure.
#pragma once

#include <functional>

#include "core/repository/keys.h"

namespace cb::repository {

constexpr uint32_t kFinePiece = 4096;  // bytes of a piece, but for those at borders

// A place in content that is found again wherever the content has moved to: the gear hash of the 64
// bytes before `end` has 16 zero bits at its top.
struct Anchor {
  uint32_t end = 0;   // offset in the blob, bytes
  uint64_t mark = 0;  // the hash

  bool operator==(const Anchor&) const = default;
};

// Anchors of `content`, ascending, at least 4 KiB from each other: one in about 64 KiB.
std::vector<Anchor> find_anchors(const std::array<uint64_t, 256>& gear, ByteView content);

struct BlobSignature {
  // So many pieces of one length, one behind the other. No zeros.
  struct Run {
    uint32_t count = 0;
    uint32_t length = 0;  // bytes

    bool operator==(const Run&) const = default;
  };
  std::vector<Run> runs;
  std::vector<PieceHash> pieces;  // one for each
  std::vector<Anchor> anchors;    // none: it is a patch, found by its pieces
  DeviceId device;                // that made it
  Signature proof{};              // the device's

  // Bytes of the blob. At most kMaxData.
  [[nodiscard]] uint64_t size() const;
  // Adds a piece at the end.
  void add(uint32_t length, const PieceHash& hash);

  bool operator==(const BlobSignature&) const = default;
};

// The pieces of a data blob whose first byte lies at `offset` of its file: borders are at multiples
// of kFinePiece in the file. Without anchors, and not signed yet.
Result<BlobSignature> describe_blob(const WriteKeys& keys, ByteView plain, uint64_t offset);

Bytes encode(const BlobSignature& signature);
// Code::corrupt also when it describes more than a blob can hold.
Result<BlobSignature> decode_blob_signature(ByteView bytes);

// `blob` is the data blob that it describes.
Status sign_blob_signature(BlobSignature& signature, const RepositoryId& repository,
                           const BlobId& blob, const SessionSealer::Sign& sign);
// Code::auth unless `device` made it for this blob.
Status verify_blob_signature(const BlobSignature& signature, const RepositoryId& repository,
                             const BlobId& blob, const SigningPublic& device);

// Blobs that no session seals: signatures and recipes, under the dedup key. Any writer opens them.
Result<StoredBlob> seal_shared(const Suite& suite, const WriteKeys& keys, BlobKind kind,
                               std::vector<BlobId> children, const Bytes& plain);
// The plaintext. Code::auth when the seal or the id is wrong, Code::corrupt when it cannot be such
// a blob.
Result<Bytes> open_shared(const Suite& suite, const WriteKeys& keys, const StoredBlob& blob);

}  // namespace cb::repository
