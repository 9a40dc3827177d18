// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_owners.h"

#include <algorithm>

#include "core/identity/signing.h"
#include "core/repository/signatures.h"

namespace cb::server {
namespace {

using repository::RepositoryRecord;

Status check_invite(const repository::NewInvite& invite, const repository::Invite& decoded,
                    const RepositoryRecord& record, int64_t now) {
  const std::string object = "invite " + decoded.id.hex();
  if (!identity::verify(record.root, repository::signed_part(decoded, record.id),
                        decoded.signature))
    return failed(Code::auth, object, "is not signed by the owner");
  if (invite.record.size() > kLongestInvite || invite.sealed_keys.empty() ||
      invite.sealed_keys.size() > kLongestSealedKeys)
    return failed(Code::limit, object, "has too many keys, or none");
  if (decoded.expires_ns <= now)
    return failed(Code::invalid, object, "has expired already", "check this machine's clock");
  const bool may_share = decoded.role == repository::Role::writer;
  if ((decoded.flags & ~repository::kDeviceSharesDedup) != 0 || (decoded.flags != 0 && !may_share))
    return failed(Code::invalid, object, "has flags that its role has not");
  if (is_revoked(record, decoded.id.view())) return failed(Code::denied, object, "was revoked");
  return {};
}

// What somebody was faster with is no breach of the rules, which would end the session.
Status as_exists(Status done) {
  if (!done && done.error().code == Code::state) done.error().code = Code::exists;
  return done;
}

// A slot that was added while somebody typed a passphrase is not to vanish unseen.
Status check_none_lost(const RepositoryRecord& record, std::span<const repository::KeySlot> there,
                       std::span<const repository::KeySlot> next) {
  for (const repository::KeySlot& slot : there) {
    if (slot.kind == repository::SlotKind::device || is_revoked(record, slot.id.view())) continue;
    if (std::any_of(next.begin(), next.end(), [&](const auto& one) { return one.id == slot.id; }))
      continue;
    return failed(Code::exists, "key slot " + slot.id.hex(), "was added meanwhile",
                  "do it again, with all slots that there are");
  }
  return {};
}

// What a newer record took away must not stay.
std::vector<repository::KeySlot> without_revoked(const RepositoryRecord& record,
                                                 std::vector<repository::KeySlot> slots) {
  std::erase_if(slots, [&](const auto& slot) { return is_revoked(record, slot.id.view()); });
  return slots;
}

}  // namespace

// Whoever waited may have been put out meanwhile.
Result<std::unique_lock<std::mutex>> V4Owners::begin(const V4Member& owner) const {
  auto lock = parts_.changes->lock(owner.account.number);
  CB_TRY(confirm_member(*parts_.accounts, owner));
  return lock;
}

Status V4Owners::add_invite(const V4Member& owner, const repository::NewInvite& invite) const {
  CB_ASSIGN(const repository::Invite decoded, repository::decode_invite(invite.record));
  CB_ASSIGN(const auto lock, begin(owner));
  CB_ASSIGN(const RepositoryRecord record, parts_.engine->record(owner.repository));
  CB_TRY(check_invite(invite, decoded, record, parts_.clock->wall().count()));
  CB_ASSIGN(const auto there, parts_.accounts->invite_by_id(decoded.id.bytes));
  const bool same = there && there->account == owner.account.number &&
                    there->record == invite.record && there->proof_hash == invite.proof_hash;
  if (same) return {};
  if (there) return failed(Code::exists, "invite " + decoded.id.hex(), "is there already");
  CB_ASSIGN(const auto all, parts_.accounts->invites(owner.account.number));
  if (all.size() >= kMostInvites)
    return failed(Code::limit, "invites", "are " + std::to_string(all.size()) + " already",
                  "remove old ones first: cyberbackup device list");
  catalog::InviteRow row;
  row.id = decoded.id.bytes;
  row.account = owner.account.number;
  row.record = invite.record;
  row.proof_hash = invite.proof_hash;
  row.sealed_keys = invite.sealed_keys;
  row.expires_ns = decoded.expires_ns;
  return parts_.accounts->add_invite(row);
}

Status V4Owners::remove_invite(const V4Member& owner, const repository::InviteId& invite) const {
  CB_ASSIGN(const auto lock, begin(owner));
  CB_ASSIGN(const auto there, parts_.accounts->invite_by_id(invite.bytes));
  if (there && there->account == owner.account.number)
    return parts_.accounts->remove_invite(invite.bytes);
  return failed(Code::not_found, "invite " + invite.hex(), "is none of this account");
}

Status V4Owners::set_device(const V4Member& owner, const repository::DeviceId& device,
                            catalog::DeviceState state) const {
  CB_ASSIGN(const auto lock, begin(owner));
  CB_ASSIGN(const auto known, parts_.accounts->device_by_id(device.bytes));
  if (!known || known->account != owner.account.number)
    return failed(Code::not_found, "device " + device.hex(), "is none of this account");
  if (device == owner.device)
    return failed(Code::denied, "device " + device.hex(), "is the one that asks",
                  "use another device of an owner");
  CB_TRY(parts_.accounts->set_device_state(device.bytes, state));
  if (state != catalog::DeviceState::active) parts_.running->end_device(device);
  return parts_.notes->keep(owner.account.number);
}

Result<size_t> V4Owners::put_record(const V4Member& owner, const RepositoryRecord& record,
                                    std::optional<std::vector<repository::KeySlot>> slots) const {
  CB_ASSIGN(const auto lock, begin(owner));
  CB_ASSIGN(const RepositoryRecord current, parts_.engine->record(owner.repository));
  CB_TRY(check_next_record(current, record));
  CB_ASSIGN(const auto own, repository::decode_certificate(owner.certificate));
  if (repository::revoked_since(record, own))
    return failed(Code::denied, "device " + owner.device.hex(), "is the one that asks",
                  "revoke it from another device of an owner");
  CB_ASSIGN(const auto devices, this->devices(owner));
  CB_ASSIGN(const auto there, parts_.engine->slots(owner.repository));
  if (!slots) {
    auto stay = without_revoked(record, there);
    if (stay.size() != there.size()) slots = std::move(stay);
  }
  if (slots) {
    CB_TRY(check_all_slots(record, *slots, readers(record, devices)));
    CB_TRY(check_none_lost(record, there, *slots));
  }
  CB_TRY(as_exists(parts_.engine->put_record(record, slots)));
  return revoke(owner, record, devices);
}

Result<std::vector<V4Owners::Known>> V4Owners::devices(const V4Member& owner) const {
  CB_ASSIGN(const auto rows, parts_.accounts->devices(owner.account.number));
  std::vector<Known> devices;
  for (const catalog::Device& row : rows) {
    CB_ASSIGN(auto certificate, repository::decode_certificate(row.certificate));
    devices.push_back({repository::DeviceId{row.id}, row.state, std::move(certificate)});
  }
  return devices;
}

std::vector<repository::DeviceId> V4Owners::readers(const RepositoryRecord& record,
                                                    std::span<const Known> devices) {
  std::vector<repository::DeviceId> readers;
  for (const Known& device : devices)
    if (device.certificate.role == repository::Role::reader &&
        !repository::revoked_since(record, device.certificate))
      readers.push_back(device.id);
  return readers;
}

Result<size_t> V4Owners::revoke(const V4Member& owner, const RepositoryRecord& record,
                                std::span<const Known> devices) const {
  size_t revoked = 0;
  for (const Known& device : devices) {
    if (!repository::revoked_since(record, device.certificate)) continue;
    if (device.state != catalog::DeviceState::revoked) {
      CB_TRY(parts_.accounts->set_device_state(device.id.bytes, catalog::DeviceState::revoked));
      ++revoked;
    }
    parts_.running->end_device(device.id);
  }
  CB_ASSIGN(const auto invites, parts_.accounts->invites(owner.account.number));
  for (const catalog::InviteRow& invite : invites)
    if (is_revoked(record, invite.id) && !invite.sealed_keys.empty())
      CB_TRY(parts_.accounts->finish_invite(invite.id));
  CB_TRY(parts_.notes->keep(owner.account.number));
  return revoked;
}

// The signature does not cover what is sealed, so a slot that is there keeps its place.
Status V4Owners::add_slot(const V4Member& owner, const repository::KeySlot& slot) const {
  CB_ASSIGN(const auto lock, begin(owner));
  CB_ASSIGN(const RepositoryRecord record, parts_.engine->record(owner.repository));
  CB_TRY(check_added_slot(record, slot));
  CB_ASSIGN(const auto all, parts_.engine->slots(owner.repository));
  if (std::find(all.begin(), all.end(), slot) != all.end()) return {};
  CB_TRY(check_room(all, {&slot, 1}));
  return parts_.engine->add_slot(owner.repository, slot);
}

Status V4Owners::remove_slot(const V4Member& owner, const repository::SlotId& slot) const {
  CB_ASSIGN(const auto lock, begin(owner));
  CB_ASSIGN(const auto all, parts_.engine->slots(owner.repository));
  CB_TRY(check_removed_slot(all, slot));
  return parts_.engine->remove_slot(owner.repository, slot);
}

Status V4Owners::put_sessions(const V4Member& owner,
                              std::span<const repository::SessionEntry> sessions) const {
  CB_ASSIGN(const auto lock, begin(owner));
  CB_ASSIGN(const RepositoryRecord record, parts_.engine->record(owner.repository));
  for (const repository::SessionEntry& entry : sessions) {
    CB_ASSIGN(const auto rewrapped, repository::decode_session(entry.record));
    CB_TRY(check_rewrapped(record, entry.session, rewrapped));
  }
  return as_exists(parts_.engine->put_sessions(owner.repository, sessions));
}

}  // namespace cb::server
