// SPDX-License-Identifier: Apache-2.0
//
// The way back from bytes to records; refuses what records.cpp does not write.
#include <bit>

#include "core/repository/record_reader.h"
#include "core/repository/records.h"

namespace cb::repository {
namespace {

constexpr size_t kHashWindow = 64;  // bytes that the cutting hash looks back

Bytes owned(ByteView bytes) { return to_bytes(bytes); }

std::vector<std::string> texts(RecordReader& from) {
  std::vector<std::string> items(from.count(1));
  for (std::string& item : items) item = from.text();
  return items;
}

void read_cutting(RecordReader& from, Cutting& cutting) {
  cutting.min = from.uint();
  cutting.average = from.uint();
  cutting.max = from.uint();
  cutting.small_file = from.uint();
  const bool sane = cutting.min >= kHashWindow && cutting.min <= cutting.average &&
                    cutting.average <= cutting.max && cutting.max <= kMaxData &&
                    std::has_single_bit(cutting.average);
  if (!sane) from.refuse("has impossible sizes for cutting");
}

void read_epochs(RecordReader& from, std::vector<Epoch>& epochs) {
  epochs.resize(from.count(2));
  uint32_t last = 0;
  for (Epoch& epoch : epochs) {
    epoch.number = from.uint32();
    epoch.public_half = owned(from.bytes());
    if (epoch.number <= last) from.refuse("has key epochs out of order");
    last = epoch.number;
  }
  if (epochs.empty()) from.refuse("has no key epoch");
}

void read_revoked(RecordReader& from, std::vector<Revocation>& revoked) {
  revoked.resize(from.count(17));
  for (size_t i = 0; i < revoked.size(); ++i) {
    revoked[i].id = from.id<decltype(Revocation::id)>();
    revoked[i].since = from.uint();
    if (i > 0 && !(revoked[i - 1].id < revoked[i].id)) from.refuse("has revocations out of order");
  }
  if (revoked.empty()) from.refuse("is of version 2 and revokes nothing");
}

Role read_role(RecordReader& from) {
  const uint64_t role = from.uint();
  if (role < 1 || role > 3) from.refuse("has a role that there is not");
  return static_cast<Role>(role);
}

// What version 2 of a certificate has more.
void read_more(RecordReader& from, Certificate& record) {
  record.kem_public = owned(from.bytes());
  record.name = owned(from.bytes());
  const ByteView invite = from.bytes();
  if (!invite.empty()) {
    auto decoded = decode_invite(invite);
    if (decoded)
      record.invite = std::move(*decoded);
    else
      from.refuse("holds an invite that is damaged");
  }
  if (record.kem_public.empty() && record.name.empty() && !record.invite)
    from.refuse("is of version 2 and says no more than version 1");
}

}  // namespace

Result<RepositoryRecord> decode_repository(ByteView bytes) {
  RecordReader from(bytes, "repository record");
  RepositoryRecord record;
  const uint64_t version = from.version(2);
  record.revision = from.uint();
  record.id = from.id<RepositoryId>();
  record.suite = from.text();
  record.compression = from.text();
  read_cutting(from, record.cutting);
  record.features = texts(from);
  record.root = from.fixed<kPublicSize>();
  read_epochs(from, record.epochs);
  record.created_ns = from.sint();
  if (version == 2) read_revoked(from, record.revoked);
  record.signature = from.fixed<kSignatureSize>();
  CB_TRY(from.done());
  // This program knows no feature yet.
  if (!record.features.empty())
    return failed(Code::unsupported, "repository " + record.id.hex(),
                  "needs the feature \"" + record.features.front() + "\"", "use a newer program");
  return record;
}

Result<SessionRecord> decode_session(ByteView bytes) {
  RecordReader from(bytes, "session record");
  SessionRecord record;
  const uint64_t version = from.version(2);
  record.suite = from.text();
  record.epoch = from.uint32();
  record.kem_cipher = owned(from.bytes());
  if (version == 2) {
    record.wrapped = owned(from.bytes());
    if (record.wrapped.empty()) from.refuse("is of version 2 and wraps no key");
  }
  record.device = from.id<DeviceId>();
  record.signature = from.fixed<kSignatureSize>();
  CB_TRY(from.done());
  return record;
}

Result<SnapshotRecord> decode_snapshot(ByteView bytes) {
  RecordReader from(bytes, "snapshot");
  if (bytes.size() > kMaxSnapshot) from.refuse("is longer than a snapshot may be");
  SnapshotRecord record;
  const uint64_t version = from.version(2);
  record.device = from.id<DeviceId>();
  record.time_ns = from.sint();
  record.host = from.text();
  record.user = from.text();
  record.paths = texts(from);
  record.tags = texts(from);
  record.excludes = texts(from);
  record.program = from.text();
  record.flags = from.uint();
  record.files = from.uint();
  record.bytes = from.uint();
  record.errors = from.uint();
  record.previous = from.id<BlobId>();
  if (version == 2) {
    record.head_sequence = from.uint();
    record.head_hash = from.id<CommitHash>();
    if (record.head_sequence == 0) from.refuse("is of version 2 and knows of no commit");
  }
  CB_TRY(from.done());
  return record;
}

Result<CommitRecord> decode_commit(ByteView bytes) {
  RecordReader from(bytes, "commit record");
  CommitRecord record;
  from.version();
  const uint8_t type = from.byte();
  if (type < 1 || type > 4) from.refuse("has a type that there is not");
  record.type = static_cast<CommitType>(type);
  record.sequence = from.uint();
  if (record.sequence == 0) from.refuse("has the sequence 0");
  record.previous = from.id<CommitHash>();
  record.time_ns = from.sint();
  record.snapshot = from.id<BlobId>();
  record.root = from.id<BlobId>();
  record.device = from.id<DeviceId>();
  record.device_signature = from.fixed<kSignatureSize>();
  record.source = from.id<KeyedHash>();
  record.tags.resize(from.count(KeyedHash::kSize));
  for (KeyedHash& tag : record.tags) tag = from.id<KeyedHash>();
  record.flags = from.uint();
  record.files = from.uint();
  record.bytes = from.uint();
  record.commit_id = from.id<CommitId>();
  record.signature = from.fixed<kSignatureSize>();
  CB_TRY(from.done());
  return record;
}

Result<KeySlot> decode_slot(ByteView bytes) {
  RecordReader from(bytes, "key slot");
  KeySlot record;
  const uint64_t version = from.version(2);
  record.id = from.id<SlotId>();
  const uint64_t kind = from.uint();
  if (kind < 1 || kind > 4) from.refuse("has a kind that there is not");
  record.kind = static_cast<SlotKind>(kind);
  record.salt = owned(from.bytes());
  record.operations = from.uint();
  record.memory = from.uint();
  if (version == 2) {
    record.public_half = owned(from.bytes());
    record.locked = owned(from.bytes());
    record.signature = from.fixed<kSignatureSize>();
    record.cipher = owned(from.bytes());
    if (record.cipher.empty()) from.refuse("is of version 2 and is sealed to nobody");
  }
  record.sealed = owned(from.bytes());
  CB_TRY(from.done());
  return record;
}

Result<Invite> decode_invite(ByteView bytes) {
  RecordReader from(bytes, "invite");
  Invite record;
  from.version();
  record.id = from.id<InviteId>();
  record.key = from.fixed<kPublicSize>();
  record.role = read_role(from);
  record.flags = from.uint();
  record.created_ns = from.sint();
  record.expires_ns = from.sint();
  record.signature = from.fixed<kSignatureSize>();
  CB_TRY(from.done());
  return record;
}

Result<Certificate> decode_certificate(ByteView bytes) {
  RecordReader from(bytes, "device certificate");
  Certificate record;
  const uint64_t version = from.version(2);
  record.device = from.fixed<kPublicSize>();
  record.role = read_role(from);
  record.flags = from.uint();
  record.created_ns = from.sint();
  if (version == 2) read_more(from, record);
  record.signature = from.fixed<kSignatureSize>();
  CB_TRY(from.done());
  return record;
}

Result<AccountRecord> decode_account(ByteView bytes) {
  RecordReader from(bytes, "account record");
  AccountRecord record;
  from.version();
  record.name = from.text();
  record.kind = from.uint();
  const uint64_t flags = from.uint();
  if (flags > 1) from.refuse("has flags that there are not");
  record.disabled = flags == 1;
  record.created_ns = from.sint();
  record.password_hash = from.text();
  record.devices.resize(from.count(17));
  for (AccountRecord::DeviceState& state : record.devices) {
    state.device = from.id<DeviceId>();
    state.state = from.uint();
  }
  CB_TRY(from.done());
  return record;
}

namespace {

constexpr size_t kSourceSize = 48;

void read_freezes(RecordReader& from, RetentionRecord& record) {
  record.freezes.resize(from.count(kSourceSize + 5));
  if (record.freezes.empty()) from.refuse("has an empty list of freezes");
  for (RetentionRecord::Freeze& one : record.freezes) {
    one.source = to_bytes(from.bytes());
    if (one.source.size() != kSourceSize) from.refuse("has a source of a wrong length");
    if (&one != record.freezes.data() && (&one)[-1].source >= one.source)
      from.refuse("has freezes out of order");
    one.until_ns = from.sint();
    one.since_ns = from.sint();
    if (one.until_ns == 0) from.refuse("has a freeze without an end");
    one.normal = to_bytes(from.bytes());
    if (!one.normal.empty() && one.normal.size() != BlobId::kSize)
      from.refuse("has a snapshot of a wrong length");
    one.reason = from.text();
  }
}

}  // namespace

Result<RetentionRecord> decode_retention(ByteView bytes) {
  RecordReader from(bytes, "retention record");
  RetentionRecord record;
  const bool has_freezes = from.version(2) == 2;
  record.rules.resize(from.count(4));
  for (RetentionRecord::Rules& one : record.rules) {
    one.source = to_bytes(from.bytes());
    if (!one.source.empty() && one.source.size() != kSourceSize)
      from.refuse("has a source of a wrong length");
    if (&one != record.rules.data() && (&one)[-1].source >= one.source)
      from.refuse("has sources out of order");
    one.text = from.text();
    one.set_ns = from.sint();
    one.set_by = from.text();
  }
  record.pins.resize(from.count(BlobId::kSize + 4));
  for (RetentionRecord::Pin& one : record.pins) {
    one.snapshot = from.id<BlobId>();
    if (&one != record.pins.data() && !((&one)[-1].snapshot < one.snapshot))
      from.refuse("has pins out of order");
    one.until_ns = from.sint();
    one.reason = from.text();
    one.set_ns = from.sint();
    one.set_by = from.text();
  }
  if (has_freezes) read_freezes(from, record);
  CB_TRY(from.done());
  return record;
}

Result<ReplicaRecord> decode_replica(ByteView bytes) {
  RecordReader from(bytes, "record of a copy");
  ReplicaRecord record;
  from.version();
  record.source = from.text();
  record.server_key = from.fixed<kPublicSize>();
  const uint64_t flags = from.uint();
  if (flags > 1) from.refuse("has flags that there are not");
  record.keeps_removed = flags == 1;
  record.dropped.resize(from.count(BlobId::kSize));
  for (BlobId& one : record.dropped) {
    one = from.id<BlobId>();
    if (&one != record.dropped.data() && !((&one)[-1] < one))
      from.refuse("has snapshots out of order");
  }
  CB_TRY(from.done());
  return record;
}

Result<RecordChange> decode_change(ByteView bytes) {
  RecordReader from(bytes, "change of a repository's record");
  RecordChange change;
  from.version();
  const ByteView record = from.bytes();
  std::vector<ByteView> slots(from.count(1));
  for (ByteView& slot : slots) slot = from.bytes();
  CB_TRY(from.done());
  CB_ASSIGN(change.record, decode_repository(record));
  for (const ByteView slot : slots) {
    CB_ASSIGN(change.slots.emplace_back(), decode_slot(slot));
  }
  return change;
}

Result<Keyring> decode_keyring(ByteView bytes) {
  RecordReader from(bytes, "keyring");
  Keyring record;
  if (from.version(2) == 2) {
    record.role = read_role(from);
    if (record.role == Role::owner) from.refuse("is an owner's and of version 2");
  }
  record.write_key = Secret(from.raw(32));
  if (record.role == Role::owner) record.root_seed = Secret(from.raw(32));
  record.epochs.resize(from.count(2));
  uint32_t last = 0;
  for (Keyring::Private& epoch : record.epochs) {
    epoch.epoch = from.uint32();
    epoch.half = Secret(from.bytes());
    if (epoch.epoch <= last) from.refuse("has key epochs out of order");
    last = epoch.epoch;
  }
  CB_TRY(from.done());
  return record;
}

}  // namespace cb::repository
