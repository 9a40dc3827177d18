// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_joining.h"

#include <algorithm>

#include "core/identity/password.h"
#include "core/identity/signing.h"
#include "core/repository/signatures.h"

namespace cb::server {
namespace {

Error invite_refused(std::string cause) {
  return fail(Code::denied, "invite", std::move(cause),
              "ask an owner of the account for a new one: cyberbackup device invite");
}

Error device_refused(const repository::DeviceId& device, std::string cause) {
  return fail(Code::denied, "device " + device.hex(), std::move(cause),
              "ask the owner of the account");
}

}  // namespace

// Who has no proof learns nothing about the invite.
Result<V4Joining::Found> V4Joining::find(const repository::InviteId& invite, ByteView proof) const {
  Found found;
  CB_ASSIGN(auto row, parts_.accounts->invite_by_id(invite.bytes));
  const identity::Hash hash = identity::sha256(proof);
  if (!row || !equal_in_constant_time(hash, row->proof_hash))
    return failed(invite_refused("is not known here, or was not proved"));
  found.invite = std::move(*row);
  CB_ASSIGN(const auto account, parts_.accounts->account_by_number(found.invite.account));
  if (!account || account->disabled)
    return failed(Code::denied, "account", "is disabled", "ask the server's operator");
  found.account = *account;
  CB_ASSIGN(const auto repository, parts_.engine->of_account(account->name));
  if (!repository) return failed(invite_refused("leads to no repository"));
  CB_ASSIGN(found.record, parts_.engine->record(*repository));
  if (is_revoked(found.record, invite.view())) return failed(invite_refused("was revoked"));
  return found;
}

Result<V4Opened> V4Joining::open(const repository::InviteId& invite, ByteView proof) const {
  CB_ASSIGN(Found found, find(invite, proof));
  if (found.invite.used_by) return failed(invite_refused("has been used"));
  if (found.invite.expires_ns <= now()) return failed(invite_refused("has expired"));
  return V4Opened{found.account.name, std::move(found.record), std::move(found.invite)};
}

Result<V4Member> V4Joining::join(const repository::InviteId& invite, ByteView proof,
                                 const V4NewDevice& device, ByteView statement,
                                 const repository::Signature& signature) const {
  CB_TRY(identity::verify(device.certificate.device, statement, signature));
  CB_ASSIGN(const Found before, find(invite, proof));
  const auto lock = parts_.changes->lock(before.account.number);
  CB_ASSIGN(const Found found, find(invite, proof));
  if (!device.certificate.invite ||
      repository::encode(*device.certificate.invite) != found.invite.record)
    return failed(device_refused(device.device, "is not certified by this invite"));
  CB_TRY(repository::verify_certificate(device.certificate, found.record));
  const auto& used_by = found.invite.used_by;
  if (used_by && *used_by != device.device.bytes) return failed(invite_refused("has been used"));
  if (!used_by && found.invite.expires_ns <= now()) return failed(invite_refused("has expired"));
  CB_ASSIGN(const bool there, is_there(found.account, device));
  if (!there) {
    CB_TRY(check_new(found.account, found.record, device));
    if (!used_by) CB_TRY(parts_.accounts->use_invite(invite.bytes, device.device.bytes, now()));
    CB_TRY(install(found.account, found.record.id, device));
  }
  CB_TRY(parts_.accounts->finish_invite(invite.bytes));
  return member_of(found.account, found.record.id, device);
}

Result<V4Member> V4Joining::person(const std::string& name, const Secret& password) const {
  CB_ASSIGN(const auto account, parts_.accounts->account_by_name(name));
  const bool has_password = account && !account->disabled && !account->password_hash.empty();
  const std::string_view typed = as_text(password.view());
  const Status right = has_password ? identity::verify_password(account->password_hash, typed)
                                    : identity::deny_password(typed);
  if (!right && right.error().code == Code::denied)
    return failed(Code::denied, "login", "the account or its password is wrong",
                  "try again, or ask the server's operator: cyberbackupd account password");
  CB_TRY(right);
  CB_ASSIGN(const auto repository, parts_.engine->of_account(account->name));
  if (!repository)
    return failed(Code::not_found, "account " + name, "has no repository yet",
                  "its first device enrols with a token: cyberbackup enroll TOKEN");
  V4Member member;
  member.account = *account;
  member.repository = *repository;
  return member;
}

Status V4Joining::add(const V4Member& member, const V4NewDevice& device, ByteView statement,
                      const repository::Signature& signature) const {
  CB_TRY(identity::verify(device.certificate.device, statement, signature));
  const auto lock = parts_.changes->lock(member.account.number);
  CB_TRY(confirm_member(*parts_.accounts, member));
  CB_ASSIGN(const repository::RepositoryRecord record, parts_.engine->record(member.repository));
  if (device.certificate.invite)
    return failed(device_refused(device.device, "is certified by an invite, so it joins with it"));
  CB_TRY(repository::verify_certificate(device.certificate, record));
  CB_ASSIGN(const bool there, is_there(member.account, device));
  if (there) return {};
  CB_TRY(check_new(member.account, record, device));
  return install(member.account, member.repository, device);
}

Result<bool> V4Joining::is_there(const catalog::Account& account, const V4NewDevice& device) const {
  CB_ASSIGN(const auto known, parts_.accounts->device_by_id(device.device.bytes));
  if (!known) return false;
  if (known->account != account.number || known->certificate != device.record)
    return failed(device_refused(device.device, "is enrolled already, and otherwise"));
  if (known->state != catalog::DeviceState::active)
    return failed(device_refused(device.device, "is disabled or revoked"));
  return true;
}

Status V4Joining::check_new(const catalog::Account& account,
                            const repository::RepositoryRecord& record,
                            const V4NewDevice& device) const {
  if (repository::revoked_since(record, device.certificate))
    return failed(device_refused(device.device, "was revoked"));
  CB_TRY(check_slots_of(record, device));
  CB_ASSIGN(const auto devices, parts_.accounts->devices(account.number));
  size_t bytes = device.record.size();
  for (const catalog::Device& one : devices) bytes += one.certificate.size();
  if (device.record.size() > kLongestCertificate || bytes > kMostCertificates ||
      devices.size() >= kMostDevices)
    return failed(Code::limit, "account " + account.name,
                  "has as many devices as it may have: " + std::to_string(devices.size()));
  CB_ASSIGN(const auto slots, parts_.engine->slots(record.id));
  return check_room(slots, device.slots);
}

Status V4Joining::install(const catalog::Account& account,
                          const repository::RepositoryId& repository,
                          const V4NewDevice& device) const {
  for (const repository::KeySlot& slot : device.slots)
    CB_TRY(parts_.engine->add_slot(repository, slot));
  CB_TRY(parts_.engine->add_certificate(repository, device.certificate));
  CB_TRY(unless_there(parts_.accounts->add_device(row_of(account, device, now()))));
  return parts_.notes->keep(account.number);
}

}  // namespace cb::server
