// SPDX-License-Identifier: Apache-2.0
//
// Blobs as they travel and lie: plaintext with its place on one side, sealed bytes on the other
// (docs/repository-format.md, "Blobs"). Plain values.
#pragma once

#include <optional>
#include <vector>

#include "core/repository/ids.h"
#include "core/repository/pack_checks.h"

namespace cb::repository {

// What everybody may see of a blob.
struct BlobHead {
  BlobId id;
  BlobKind kind = BlobKind::data;
  SessionId session;             // zero for kinds that no session seals, and for session records
  std::vector<BlobId> children;  // at most kMaxChildren
  uint32_t stored_size = 0;      // bytes that follow
  DeviceId device = {};          // who put this copy, as the server says; zero: it does not
  // Of the stored bytes, as the pack has it; told to other servers alone (replicas.h).
  std::optional<ChecksumBytes> checksum = {};

  bool operator==(const BlobHead&) const = default;
};

struct StoredBlob {
  BlobHead head;
  Bytes stored;  // head.stored_size bytes
};

// What comes out of a seal.
struct PlainBlob {
  BlobId id;
  BlobKind kind = BlobKind::data;
  std::vector<BlobId> children;
  Bytes plain;
};

}  // namespace cb::repository
