// SPDX-License-Identifier: Apache-2.0
//
// The records of docs/repository-format.md as values, and their one encoding. Functions are pure.
// decode_*: Code::corrupt for anything that encode_* does not write, Code::unsupported for another
// version.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/secret.h"
#include "core/repository/ids.h"

namespace cb::repository {

constexpr size_t kSignatureSize = 64;  // Ed25519
constexpr size_t kPublicSize = 32;     // Ed25519
using Signature = std::array<std::byte, kSignatureSize>;
using SigningPublic = std::array<std::byte, kPublicSize>;

struct Cutting {
  uint64_t min = 512 * 1024;  // bytes
  uint64_t average = 1024 * 1024;
  uint64_t max = 8 * 1024 * 1024;
  uint64_t small_file = 512 * 1024;  // smaller ones are bundled

  bool operator==(const Cutting&) const = default;
};

struct Epoch {
  uint32_t number = 0;  // from 1
  Bytes public_half;

  bool operator==(const Epoch&) const = default;
};

// A device, invite or slot that no longer counts. What a device signed with commits of the sequence
// `since` or later is refused.
struct Revocation {
  Id<struct RevokedTag, 16> id;
  uint64_t since = 0;

  bool operator==(const Revocation&) const = default;
};

struct RepositoryRecord {
  uint64_t revision = 1;
  RepositoryId id;
  std::string suite = "crypto-modern";
  std::string compression = "zstd";
  Cutting cutting;
  std::vector<std::string> features;  // that a program must know
  SigningPublic root{};
  std::vector<Epoch> epochs;  // oldest first, at least one
  int64_t created_ns = 0;
  std::vector<Revocation> revoked;  // by id
  Signature signature{};

  bool operator==(const RepositoryRecord&) const = default;
};

struct SessionRecord {
  std::string suite = "crypto-modern";
  uint32_t epoch = 0;
  Bytes kem_cipher;
  Bytes wrapped;    // rotation: the session's key under the encapsulated one; else empty
  DeviceId device;  // zero: signed by the root key
  Signature signature{};

  bool operator==(const SessionRecord&) const = default;
};

constexpr uint64_t kSnapshotCheckpoint = 1;  // SnapshotRecord::flags and CommitRecord::flags
constexpr uint64_t kSnapshotV3 = 2;

struct SnapshotRecord {
  DeviceId device;
  int64_t time_ns = 0;  // by the client's clock
  std::string host;
  std::string user;
  std::vector<std::string> paths;  // sorted
  std::vector<std::string> tags;
  std::vector<std::string> excludes;
  std::string program;
  uint64_t flags = 0;
  uint64_t files = 0;
  uint64_t bytes = 0;          // of all files
  uint64_t errors = 0;         // sources that could not be read
  BlobId previous;             // of the same source; zero when there is none
  uint64_t head_sequence = 0;  // of the newest commit that the device knew; 0: none
  CommitHash head_hash;

  bool operator==(const SnapshotRecord&) const = default;
};

enum class CommitType : uint8_t { commit = 1, forget = 2, undelete = 3, removal = 4 };

struct CommitRecord {
  CommitType type = CommitType::commit;
  uint64_t sequence = 0;  // from 1
  CommitHash previous;
  int64_t time_ns = 0;  // by the server's clock
  BlobId snapshot;
  BlobId root;
  DeviceId device;
  Signature device_signature{};
  KeyedHash source;
  std::vector<KeyedHash> tags;
  uint64_t flags = 0;
  uint64_t files = 0;
  uint64_t bytes = 0;
  CommitId commit_id;
  Signature signature{};

  bool operator==(const CommitRecord&) const = default;
};

using SlotId = Id<struct SlotIdTag, 16>;
enum class SlotKind : uint64_t {
  passphrase = 1,
  recovery_code = 2,
  server = 3,  // a v3 client's repository: sealed to the server's own key
  device = 4,  // a reader: sealed to the KEM key of its certificate; the slot's id is the device's
};

// The keyring is sealed to the public half of a pair, whose private half is locked with the
// passphrase or the code: so rotation can seal another keyring without either. Format 1 has no pair
// and seals the keyring itself.

struct KeySlot {
  SlotId id;
  SlotKind kind = SlotKind::passphrase;
  Bytes salt;               // 16 bytes, or none; kind server: the KEM's cipher
  uint64_t operations = 0;  // Argon2id passes
  uint64_t memory = 0;      // bytes
  Bytes public_half;      // of the slot's pair; empty for kinds server and device, and in format 1
  Bytes locked;           // its private half
  Signature signature{};  // the root key's, over what is before; zero where there is no pair
  Bytes cipher;           // of the encapsulation to the pair; empty in format 1
  Bytes sealed;           // the keyring

  bool operator==(const KeySlot&) const = default;
};

enum class Role : uint64_t { owner = 1, writer = 2, reader = 3 };
constexpr uint64_t kDeviceSharesDedup = 1;

// The keys of a role. A writer has no epochs, nobody but an owner the root's seed.
struct Keyring {
  Role role = Role::owner;
  Secret write_key;  // 32 bytes
  Secret root_seed;  // 32 bytes; empty unless an owner's
  struct Private {
    uint32_t epoch = 0;
    Secret half;
  };
  std::vector<Private> epochs;

  [[nodiscard]] Keyring clone() const;
};

using InviteId = Id<struct InviteIdTag, 16>;

// The root key lets the key of an invite certify one device.
struct Invite {
  InviteId id;
  SigningPublic key{};
  Role role = Role::writer;
  uint64_t flags = 0;  // kDevice*, of the device that comes
  int64_t created_ns = 0;
  int64_t expires_ns = 0;
  Signature signature{};

  bool operator==(const Invite&) const = default;
};

struct Certificate {
  SigningPublic device{};
  Role role = Role::owner;
  uint64_t flags = 0;
  int64_t created_ns = 0;
  Bytes kem_public;              // a reader's, for its slot; else empty
  Bytes name;                    // sealed (device_name.h); may be empty
  std::optional<Invite> invite;  // whose key signed; none: the root key did
  Signature signature{};

  bool operator==(const Certificate&) const = default;
};

// What the store tells of an account when the catalog is lost. Not signed: only the server's word.
struct AccountRecord {
  std::string name;
  uint64_t kind = 4;  // the protocol: 3 or 4
  bool disabled = false;
  int64_t created_ns = 0;
  std::string password_hash;  // as Argon2id text; empty: none
  struct DeviceState {
    DeviceId device;
    uint64_t state = 0;  // catalog::DeviceState

    bool operator==(const DeviceState&) const = default;
  };
  std::vector<DeviceState> devices;  // those that are not active, by id

  bool operator==(const AccountRecord&) const = default;
};

// What the store tells of retention when the catalog is lost: what catalog/retention.h has. Not
// signed, as AccountRecord.
struct RetentionRecord {
  struct Rules {
    Bytes source;  // 48 bytes, or none: of the whole repository
    std::string text;
    int64_t set_ns = 0;
    std::string set_by;

    bool operator==(const Rules&) const = default;
  };
  struct Pin {
    BlobId snapshot;
    int64_t until_ns = 0;  // 0: for good
    std::string reason;
    int64_t set_ns = 0;
    std::string set_by;

    bool operator==(const Pin&) const = default;
  };
  // A source of which nothing is removed for a while (docs/watch.md).
  struct Freeze {
    Bytes source;          // 48 bytes
    int64_t until_ns = 0;  // not 0
    int64_t since_ns = 0;  // of the first of several
    Bytes normal;          // the snapshot that is kept meanwhile, 32 bytes or none
    std::string reason;

    bool operator==(const Freeze&) const = default;
  };
  std::vector<Rules> rules;     // by source, each once
  std::vector<Pin> pins;        // by snapshot, each once
  std::vector<Freeze> freezes;  // by source, each once

  bool operator==(const RetentionRecord&) const = default;
};

// What the store tells of a repository that is a copy of another server's, when the catalog is
// lost. Not signed, as AccountRecord.
struct ReplicaRecord {
  std::string source;           // what the operator calls that server
  SigningPublic server_key{};   // signs the chain of commits
  bool keeps_removed = false;   // what the source removes stays here
  std::vector<BlobId> dropped;  // snapshots that were removed here alone, sorted, each once

  bool operator==(const ReplicaRecord&) const = default;
};

// A repository's next record, and its slots when they change with it: written down before either
// is replaced. The server's own note, not signed.
struct RecordChange {
  RepositoryRecord record;
  std::vector<KeySlot> slots;  // all that there are then; empty: they stay

  bool operator==(const RecordChange&) const = default;
};

Bytes encode(const RepositoryRecord& record);
Bytes encode(const SessionRecord& record);
Bytes encode(const SnapshotRecord& record);
Bytes encode(const CommitRecord& record);
Bytes encode(const KeySlot& record);
Bytes encode(const Certificate& record);
Bytes encode(const Invite& record);
Bytes encode(const AccountRecord& record);
Bytes encode(const RetentionRecord& record);
Bytes encode(const ReplicaRecord& record);
Bytes encode(const RecordChange& record);
Secret encode(const Keyring& record);
Result<RepositoryRecord> decode_repository(ByteView bytes);
Result<SessionRecord> decode_session(ByteView bytes);
Result<SnapshotRecord> decode_snapshot(ByteView bytes);
Result<CommitRecord> decode_commit(ByteView bytes);
Result<KeySlot> decode_slot(ByteView bytes);
Result<Certificate> decode_certificate(ByteView bytes);
Result<Invite> decode_invite(ByteView bytes);
Result<AccountRecord> decode_account(ByteView bytes);
Result<RetentionRecord> decode_retention(ByteView bytes);
Result<ReplicaRecord> decode_replica(ByteView bytes);
Result<RecordChange> decode_change(ByteView bytes);
Result<Keyring> decode_keyring(ByteView bytes);

// What each signature is over.
Bytes signed_part(const RepositoryRecord& record);
Bytes signed_part(const SessionRecord& record, const RepositoryId& repository,
                  const SessionId& session);
Bytes signed_part(const CommitRecord& record, const RepositoryId& repository);
Bytes signed_part(const Certificate& record, const RepositoryId& repository);
Bytes signed_part(const Invite& record, const RepositoryId& repository);
// Of a slot with a pair.
Bytes signed_part(const KeySlot& record, const RepositoryId& repository);
Bytes snapshot_signed_part(const RepositoryId& repository, const BlobId& snapshot);

// The first half of SHA-256 of the public key is core/identity's; see device_id_of there.

}  // namespace cb::repository
