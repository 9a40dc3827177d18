// SPDX-License-Identifier: Apache-2.0
//
// The encodings of records and what their signatures are over; record_decoding.cpp is the way back.
#include "core/repository/records.h"

#include "core/repository/record_writer.h"

namespace cb::repository {
namespace {

constexpr uint64_t kVersion = 1;
// Of records that say more than those of version 1 can.
constexpr uint64_t kVersion2 = 2;

// Everything before the signature.
void write_unsigned(RecordWriter& to, const RepositoryRecord& record) {
  to.uint(record.revoked.empty() ? kVersion : kVersion2);
  to.uint(record.revision);
  to.fixed(record.id.view());
  to.text(record.suite);
  to.text(record.compression);
  to.uint(record.cutting.min);
  to.uint(record.cutting.average);
  to.uint(record.cutting.max);
  to.uint(record.cutting.small_file);
  to.list(record.features, [&to](const std::string& feature) { to.text(feature); });
  to.fixed(record.root);
  to.list(record.epochs, [&to](const Epoch& epoch) {
    to.uint(epoch.number);
    to.bytes(epoch.public_half);
  });
  to.sint(record.created_ns);
  if (record.revoked.empty()) return;
  to.list(record.revoked, [&to](const Revocation& revoked) {
    to.fixed(revoked.id.view());
    to.uint(revoked.since);
  });
}

void write_unsigned(RecordWriter& to, const SessionRecord& record) {
  to.uint(record.wrapped.empty() ? kVersion : kVersion2);
  to.text(record.suite);
  to.uint(record.epoch);
  to.bytes(record.kem_cipher);
  if (!record.wrapped.empty()) to.bytes(record.wrapped);
  to.fixed(record.device.view());
}

void write_unsigned(RecordWriter& to, const CommitRecord& record) {
  to.uint(kVersion);
  to.byte(static_cast<uint8_t>(record.type));
  to.uint(record.sequence);
  to.fixed(record.previous.view());
  to.sint(record.time_ns);
  to.fixed(record.snapshot.view());
  to.fixed(record.root.view());
  to.fixed(record.device.view());
  to.fixed(record.device_signature);
  to.fixed(record.source.view());
  to.list(record.tags, [&to](const KeyedHash& tag) { to.fixed(tag.view()); });
  to.uint(record.flags);
  to.uint(record.files);
  to.uint(record.bytes);
  to.fixed(record.commit_id.view());
}

void write_unsigned(RecordWriter& to, const Invite& record) {
  to.uint(kVersion);
  to.fixed(record.id.view());
  to.fixed(record.key);
  to.uint(static_cast<uint64_t>(record.role));
  to.uint(record.flags);
  to.sint(record.created_ns);
  to.sint(record.expires_ns);
}

void write_unsigned(RecordWriter& to, const Certificate& record) {
  const bool plain = record.kem_public.empty() && record.name.empty() && !record.invite;
  to.uint(plain ? kVersion : kVersion2);
  to.fixed(record.device);
  to.uint(static_cast<uint64_t>(record.role));
  to.uint(record.flags);
  to.sint(record.created_ns);
  if (plain) return;
  to.bytes(record.kem_public);
  to.bytes(record.name);
  to.bytes(record.invite ? encode(*record.invite) : Bytes());
}

void write_unsigned(RecordWriter& to, const KeySlot& record) {
  to.uint(record.cipher.empty() ? kVersion : kVersion2);
  to.fixed(record.id.view());
  to.uint(static_cast<uint64_t>(record.kind));
  to.bytes(record.salt);
  to.uint(record.operations);
  to.uint(record.memory);
  if (record.cipher.empty()) return;
  to.bytes(record.public_half);
  to.bytes(record.locked);
}

template <typename Record>
Bytes with_signature(const Record& record) {
  RecordWriter to;
  write_unsigned(to, record);
  to.fixed(record.signature);
  return to.take();
}

}  // namespace

Bytes encode(const RepositoryRecord& record) { return with_signature(record); }
Bytes encode(const SessionRecord& record) { return with_signature(record); }
Bytes encode(const CommitRecord& record) { return with_signature(record); }
Bytes encode(const Certificate& record) { return with_signature(record); }
Bytes encode(const Invite& record) { return with_signature(record); }

Bytes encode(const SnapshotRecord& record) {
  RecordWriter to;
  const auto text = [&to](const std::string& item) { to.text(item); };
  to.uint(record.head_sequence == 0 ? kVersion : kVersion2);
  to.fixed(record.device.view());
  to.sint(record.time_ns);
  to.text(record.host);
  to.text(record.user);
  to.list(record.paths, text);
  to.list(record.tags, text);
  to.list(record.excludes, text);
  to.text(record.program);
  to.uint(record.flags);
  to.uint(record.files);
  to.uint(record.bytes);
  to.uint(record.errors);
  to.fixed(record.previous.view());
  if (record.head_sequence == 0) return to.take();
  to.uint(record.head_sequence);
  to.fixed(record.head_hash.view());
  return to.take();
}

Bytes encode(const KeySlot& record) {
  RecordWriter to;
  write_unsigned(to, record);
  if (!record.cipher.empty()) {
    to.fixed(record.signature);
    to.bytes(record.cipher);
  }
  to.bytes(record.sealed);
  return to.take();
}

Bytes encode(const AccountRecord& record) {
  RecordWriter to;
  to.uint(kVersion);
  to.text(record.name);
  to.uint(record.kind);
  to.uint(record.disabled ? 1 : 0);
  to.sint(record.created_ns);
  to.text(record.password_hash);
  to.list(record.devices, [&to](const AccountRecord::DeviceState& state) {
    to.fixed(state.device.view());
    to.uint(state.state);
  });
  return to.take();
}

Bytes encode(const RetentionRecord& record) {
  RecordWriter to;
  to.uint(record.freezes.empty() ? kVersion : kVersion2);
  to.list(record.rules, [&to](const RetentionRecord::Rules& one) {
    to.bytes(one.source);
    to.text(one.text);
    to.sint(one.set_ns);
    to.text(one.set_by);
  });
  to.list(record.pins, [&to](const RetentionRecord::Pin& one) {
    to.fixed(one.snapshot.view());
    to.sint(one.until_ns);
    to.text(one.reason);
    to.sint(one.set_ns);
    to.text(one.set_by);
  });
  if (record.freezes.empty()) return to.take();
  to.list(record.freezes, [&to](const RetentionRecord::Freeze& one) {
    to.bytes(one.source);
    to.sint(one.until_ns);
    to.sint(one.since_ns);
    to.bytes(one.normal);
    to.text(one.reason);
  });
  return to.take();
}

Bytes encode(const ReplicaRecord& record) {
  RecordWriter to;
  to.uint(kVersion);
  to.text(record.source);
  to.fixed(record.server_key);
  to.uint(record.keeps_removed ? 1 : 0);
  to.list(record.dropped, [&to](const BlobId& snapshot) { to.fixed(snapshot.view()); });
  return to.take();
}

Bytes encode(const RecordChange& record) {
  RecordWriter to;
  to.uint(kVersion);
  to.bytes(encode(record.record));
  to.list(record.slots, [&to](const KeySlot& slot) { to.bytes(encode(slot)); });
  return to.take();
}

Secret encode(const Keyring& record) {
  // Reserved in full: a buffer that grew would leave copies behind.
  size_t most = 96;
  for (const Keyring::Private& epoch : record.epochs) most += epoch.half.size() + 16;
  RecordWriter to;
  to.reserve(most);
  to.uint(record.role == Role::owner ? kVersion : kVersion2);
  if (record.role != Role::owner) to.uint(static_cast<uint64_t>(record.role));
  to.fixed(record.write_key.view());
  if (record.role == Role::owner) to.fixed(record.root_seed.view());
  to.list(record.epochs, [&to](const Keyring::Private& epoch) {
    to.uint(epoch.epoch);
    to.bytes(epoch.half.view());
  });
  Secret encoded(to.written());
  wipe(to.span());
  return encoded;
}

Bytes signed_part(const RepositoryRecord& record) {
  RecordWriter to;
  to.fixed(as_bytes("cyberbackup/repository/1"));
  write_unsigned(to, record);
  return to.take();
}

Bytes signed_part(const SessionRecord& record, const RepositoryId& repository,
                  const SessionId& session) {
  RecordWriter to;
  to.fixed(as_bytes("cyberbackup/session-record/1"));
  to.fixed(repository.view());
  to.fixed(session.view());
  write_unsigned(to, record);
  return to.take();
}

Bytes signed_part(const CommitRecord& record, const RepositoryId& repository) {
  RecordWriter to;
  to.fixed(as_bytes("cyberbackup/commit/1"));
  to.fixed(repository.view());
  write_unsigned(to, record);
  return to.take();
}

Bytes signed_part(const Certificate& record, const RepositoryId& repository) {
  RecordWriter to;
  to.fixed(as_bytes("cyberbackup/device/1"));
  to.fixed(repository.view());
  write_unsigned(to, record);
  return to.take();
}

Bytes signed_part(const Invite& record, const RepositoryId& repository) {
  RecordWriter to;
  to.fixed(as_bytes("cyberbackup/invite/1"));
  to.fixed(repository.view());
  write_unsigned(to, record);
  return to.take();
}

Bytes signed_part(const KeySlot& record, const RepositoryId& repository) {
  RecordWriter to;
  to.fixed(as_bytes("cyberbackup/slot/2"));
  to.fixed(repository.view());
  write_unsigned(to, record);
  return to.take();
}

Keyring Keyring::clone() const {
  Keyring copy;
  copy.role = role;
  copy.write_key = write_key.clone();
  copy.root_seed = root_seed.clone();
  for (const Private& epoch : epochs) copy.epochs.push_back({epoch.epoch, epoch.half.clone()});
  return copy;
}

Bytes snapshot_signed_part(const RepositoryId& repository, const BlobId& snapshot) {
  RecordWriter to;
  to.fixed(as_bytes("cyberbackup/snapshot/1"));
  to.fixed(repository.view());
  to.fixed(snapshot.view());
  return to.take();
}

}  // namespace cb::repository
