// SPDX-License-Identifier: Apache-2.0
#include "tests/v4/v4_invited.h"

#include <algorithm>
#include <stdexcept>

#include "core/os/clock.h"
#include "core/repository/signatures.h"

namespace cb::server {
namespace {

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

Bytes drawn(size_t size) {
  Bytes bytes(size);
  if (!os::system_random().fill(bytes)) throw std::runtime_error("no randomness");
  return bytes;
}

identity::SigningKey drawn_key() { return must(identity::SigningKey::make(os::system_random())); }

identity::SigningKey copy_of(const identity::SigningKey& key) {
  return must(identity::SigningKey::from_seed(key.seed().view()));
}

}  // namespace

V4Invited V4Invited::make(const V4Owner& owner, repository::Role role, uint64_t flags) {
  V4Invited made{drawn_key(), drawn_key(), {}, {}, drawn(32), drawn(200), {}, {}};
  made.device = repository::device_of(made.key.public_key());
  made.invite.id = must(repository::InviteId::from_bytes(drawn(16)));
  made.invite.key = made.invite_key.public_key();
  made.invite.role = role;
  made.invite.flags = flags;
  made.invite.created_ns = os::system_clock().wall().count();
  made.invite.expires_ns = made.invite.created_ns + int64_t{3600} * 1'000'000'000;
  made.certificate.device = made.key.public_key();
  made.certificate.role = role;
  made.certificate.flags = flags;
  made.certificate.created_ns = made.invite.created_ns;
  made.certificate.name = drawn(40);
  if (role == repository::Role::reader) {
    made.certificate.kem_public = drawn(32);
    repository::KeySlot slot;
    slot.id.bytes = made.device.bytes;
    slot.kind = repository::SlotKind::device;
    slot.cipher = drawn(32);
    slot.sealed = drawn(100);
    made.slots.push_back(slot);
  }
  if (role == repository::Role::owner) made.slots.push_back(signed_slot(owner));
  made.sign(owner);
  return made;
}

void V4Invited::sign(const V4Owner& owner) {
  const auto& id = owner.record.id;
  invite.signature = must(owner.root.sign(repository::signed_part(invite, id)));
  certificate.invite = invite;
  certificate.signature = must(invite_key.sign(repository::signed_part(certificate, id)));
}

v4::pb::AddInvite V4Invited::add_invite() const {
  v4::pb::AddInvite message;
  message.set_invite(v4::field_of(repository::encode(invite)));
  message.set_proof_hash(v4::field_of(identity::sha256(proof)));
  message.set_sealed_keys(v4::field_of(sealed_keys));
  return message;
}

v4::pb::OpenInvite V4Invited::open_invite() const {
  v4::pb::OpenInvite message;
  message.set_invite(v4::field_of(invite.id.view()));
  message.set_proof(v4::field_of(proof));
  return message;
}

v4::pb::Join V4Invited::join(ByteView statement) const {
  v4::pb::Join message;
  message.set_invite(v4::field_of(invite.id.view()));
  message.set_proof(v4::field_of(proof));
  message.set_certificate(v4::field_of(repository::encode(certificate)));
  for (const auto& slot : slots) message.add_slots(v4::field_of(repository::encode(slot)));
  message.set_signature(v4::field_of(must(key.sign(statement))));
  return message;
}

V4Owner V4Invited::member(const V4Owner& owner) const {
  V4Owner member{copy_of(owner.root), copy_of(key), device, owner.record, certificate, {}};
  return member;
}

repository::KeySlot signed_slot(const V4Owner& owner) {
  repository::KeySlot slot;
  slot.id = must(repository::SlotId::from_bytes(drawn(16)));
  slot.salt = drawn(16);
  slot.operations = 3;
  slot.memory = 1 << 20;
  slot.public_half = drawn(32);
  slot.locked = drawn(60);
  slot.cipher = drawn(32);
  slot.sealed = drawn(150);
  slot.signature = must(owner.root.sign(repository::signed_part(slot, owner.record.id)));
  return slot;
}

repository::RepositoryRecord next_record(const V4Owner& owner,
                                         std::vector<repository::Revocation> revoked) {
  repository::RepositoryRecord next = owner.record;
  ++next.revision;
  next.epochs.push_back({next.epochs.back().number + 1, drawn(32)});
  next.revoked.insert(next.revoked.end(), revoked.begin(), revoked.end());
  std::sort(next.revoked.begin(), next.revoked.end(),
            [](const auto& one, const auto& other) { return one.id < other.id; });
  sign_record(owner, next);
  return next;
}

void sign_record(const V4Owner& owner, repository::RepositoryRecord& record) {
  record.signature = must(owner.root.sign(repository::signed_part(record)));
}

v4::pb::PutRecord put_record(const repository::RepositoryRecord& record) {
  v4::pb::PutRecord message;
  message.set_repository(v4::field_of(repository::encode(record)));
  return message;
}

repository::Revocation revocation(ByteView id, uint64_t since) {
  repository::Revocation revoked;
  std::copy(id.begin(), id.end(), revoked.id.bytes.begin());
  revoked.since = since;
  return revoked;
}

}  // namespace cb::server
