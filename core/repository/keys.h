// SPDX-License-Identifier: Apache-2.0
//
// Keys of a repository and what they do: name blobs, seal them for a session, open them again
// (docs/repository-format.md, "Keys", "Blobs"). All classes may be used by several threads.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "core/identity/signing.h"
#include "core/os/random.h"
#include "core/plugin/compress.h"
#include "core/repository/blob.h"
#include "core/repository/records.h"
#include "core/repository/sealed_stream.h"

namespace cb::repository {

// The plugins that a repository's bytes are made with; both outlive all that is made of them.
struct Suite {
  // Authenticated, with KEM, STREAM, KEYED_ID, KEY_WRAP and KEY_DERIVE.
  const plugin::Crypto* crypto = nullptr;
  const plugin::Compress* compress = nullptr;
};

// What an owner or a writer holds to name blobs.
class WriteKeys {
 public:
  static Result<WriteKeys> make(const plugin::Crypto& crypto, const RepositoryId& repository,
                                ByteView write_key);

  // The id of a blob. `headroom` is the plaintext with kIdHeadroom + 32 * children free bytes
  // before it (they are overwritten), so that nothing is copied; see id_of for the easy way.
  Result<BlobId> id_in_place(BlobKind kind, std::span<const BlobId> children,
                             ByteSpan headroom) const;
  Result<BlobId> id_of(BlobKind kind, std::span<const BlobId> children, ByteView plain) const;

  Result<KeyedHash> source_hash(const DeviceId& device, std::vector<std::string> paths) const;
  Result<KeyedHash> tag_hash(std::string_view tag) const;
  // Of a piece of content, for signatures.
  Result<PieceHash> piece_hash(ByteView piece) const;
  // 256 words (format: "Gear table").
  [[nodiscard]] const std::array<uint64_t, 256>& gear() const { return gear_; }
  [[nodiscard]] const RepositoryId& repository() const { return repository_; }
  // Seals signatures and recipes.
  [[nodiscard]] const plugin::Key& dedup() const { return dedup_; }

 private:
  WriteKeys(const RepositoryId& repository, plugin::Key id, plugin::Key name, plugin::Key dedup,
            plugin::Key piece)
      : repository_(repository),
        id_(std::move(id)),
        name_(std::move(name)),
        dedup_(std::move(dedup)),
        piece_(std::move(piece)) {}

  RepositoryId repository_;
  plugin::Key id_, name_, dedup_, piece_;
  std::array<uint64_t, 256> gear_{};
};

constexpr size_t kIdHeadroom = 5;  // kind and child count

// Seals blobs under one fresh session key.
class SessionSealer {
 public:
  // Encapsulates to the record's newest epoch. `sign` makes the device's signature.
  using Sign = std::function<Result<Signature>(ByteView)>;
  static Result<std::unique_ptr<SessionSealer>> begin(const Suite& suite,
                                                      const RepositoryRecord& repository,
                                                      const SessionId& session,
                                                      const DeviceId& device, const Sign& sign);

  // Compresses (unless a probe says that it will not shrink) and seals. With `verify` it opens the
  // result again and compares; a mismatch is Code::internal. Code::invalid for a kind that no
  // session seals, Code::limit for too much plaintext or too many children.
  Result<StoredBlob> seal(BlobKind kind, const BlobId& id, std::span<const BlobId> children,
                          ByteView plain, bool verify) const;

  // The session record as a blob, to be stored before any other of this session.
  [[nodiscard]] const StoredBlob& record() const { return record_; }
  [[nodiscard]] const SessionId& session() const { return session_; }

 private:
  SessionSealer(const Suite& suite, const RepositoryId& repository, const SessionId& session,
                plugin::Key key, const StreamSizes& sizes)
      : suite_(suite),
        repository_(repository),
        session_(session),
        key_(std::move(key)),
        sizes_(sizes) {}

  Suite suite_;
  RepositoryId repository_;
  SessionId session_;
  plugin::Key key_;
  StreamSizes sizes_;
  StoredBlob record_;
};

// Opens blobs with the private halves of the epochs. Session records are learned as they come.
class Opener {
 public:
  static Result<std::unique_ptr<Opener>> make(const Suite& suite, const RepositoryId& repository,
                                              const Keyring& keyring);

  // Is the session's key known? When not, fetch its record and `learn` it.
  [[nodiscard]] bool knows(const SessionId& session) const;
  // Gets the session's key out of its record. Code::not_found when the keyring lacks the epoch.
  // Who signed the record matters not here: a wrong one gives a key that opens nothing.
  Status learn(const SessionId& session, ByteView record);

  // Opens, decompresses, and computes the id again. Code::auth when the seal or the id is wrong,
  // Code::not_found when the session is unknown, Code::corrupt when the inside makes no sense.
  Result<PlainBlob> open(const StoredBlob& blob) const;

  [[nodiscard]] const WriteKeys& write_keys() const { return *write_; }

 private:
  Opener() = default;
  Status check(const BlobHead& head, size_t stored) const;
  Result<std::shared_ptr<const plugin::Key>> session_key(const SessionId& session) const;

  Suite suite_;
  RepositoryId repository_;
  StreamSizes sizes_;
  std::optional<WriteKeys> write_;
  std::map<uint32_t, plugin::KeyPair> epochs_;
  mutable std::mutex mutex_;
  std::map<SessionId, std::shared_ptr<const plugin::Key>> sessions_;  // guarded by mutex_
};

// What a new repository is to be like.
struct RepositoryWish {
  Cutting cutting;
  std::string compression = "zstd";
  int64_t created_ns = 0;
};

// A fresh keyring and its signed record; the keyring holds the root's seed.
struct NewRepository {
  RepositoryRecord record;
  Keyring keyring;
  identity::SigningKey root;
};

// Draws the repository's id and keys: write key, root key and the pair of epoch 1.
Result<NewRepository> make_repository(const plugin::Crypto& crypto, os::Random& random,
                                      const RepositoryWish& wish);

// Fills anything of random bytes: session ids, commit ids.
template <typename IdType>
Result<IdType> draw_id(os::Random& random) {
  IdType id;
  CB_TRY(random.fill(id.bytes));
  return id;
}

}  // namespace cb::repository
