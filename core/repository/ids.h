// SPDX-License-Identifier: Apache-2.0
//
// The names of the repository format (docs/repository-format.md). Plain values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>

#include "core/base/id.h"

namespace cb::repository {

using RepositoryId = Id<struct RepositoryIdTag, 16>;
using BlobId = Id<struct BlobIdTag, 32>;  // a snapshot's id is that of its blob
using SessionId = Id<struct SessionIdTag, 16>;
using DeviceId = Id<struct DeviceIdTag, 16>;
using PackName = Id<struct PackNameTag, 16>;
using KeyedHash = Id<struct KeyedHashTag, 32>;  // of a source or a tag
using CommitHash = Id<struct CommitHashTag, 32>;
using PieceHash = Id<struct PieceHashTag, 16>;  // of a few KiB in a data blob
using CommitId =
    Id<struct CommitIdTag, 16>;  // drawn by the client: makes a repeated commit harmless

enum class BlobKind : uint8_t {
  data = 1,
  signature = 2,
  recipe = 3,
  node = 4,
  snapshot = 5,
  session = 6,
};

// Describes blobs, which are its children: it keeps none of them alive, nothing needs it, and it
// lives as long as they do (docs/collection.md).
constexpr bool is_weak(BlobKind kind) {
  return kind == BlobKind::signature || kind == BlobKind::recipe;
}

// Most plain bytes of a blob of each kind, and most children.
constexpr size_t kMaxData = 8 * 1024 * 1024;
constexpr size_t kMaxNode = 1024 * 1024;
constexpr size_t kMaxSnapshot = 64 * 1024;
constexpr size_t kMaxChildren = 8160;  // with its message it fits one frame of protocol v4
// Most stored bytes of any blob: the largest plaintext, its envelope, a seal header and tags.
constexpr size_t kMaxStored = kMaxData + 64 * 1024;

// Longer ones are taken for no session record; those that are written are much shorter.
constexpr size_t kMostSessionRecord = 64 * 1024;  // bytes

// The blob that holds the record of a session: its id is the session's, filled up with zeros.
inline BlobId blob_of(const SessionId& session) {
  BlobId id;
  std::copy(session.bytes.begin(), session.bytes.end(), id.bytes.begin());
  return id;
}

// The session whose record has this id; nothing for the id of another blob.
inline std::optional<SessionId> session_of(const BlobId& id) {
  SessionId session;
  std::copy_n(id.bytes.begin(), SessionId::kSize, session.bytes.begin());
  const bool is_record = std::all_of(id.bytes.begin() + SessionId::kSize, id.bytes.end(),
                                     [](std::byte byte) { return byte == std::byte{0}; });
  if (!is_record || session.is_zero()) return std::nullopt;
  return session;
}

// Spreads well: ids are keyed hashes or random.
struct IdHash {
  template <typename Tag, size_t Size>
  size_t operator()(const Id<Tag, Size>& id) const {
    return static_cast<size_t>(load_le<uint64_t>(id.bytes.data()));
  }
};

}  // namespace cb::repository
