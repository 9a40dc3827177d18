// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_accounts.h"

#include "core/identity/signing.h"
#include "core/repository/signatures.h"

namespace cb::server {
namespace {

Error refused(const repository::DeviceId& device) {
  return fail(Code::denied, "device " + device.hex(),
              "is not enrolled here, or did not prove who it is",
              "enroll it with a token of the server's operator: cyberbackup enroll TOKEN");
}

Error token_refused(std::string cause) {
  return fail(Code::denied, "pairing token", std::move(cause),
              "ask the server's operator for a new one: cyberbackupd token create");
}

Error account_disabled(const std::string& name) {
  return fail(Code::denied, "account " + name, "is disabled",
              "ask the server's operator: cyberbackupd account enable " + name);
}

Error is_out(const repository::DeviceId& device) {
  return fail(Code::denied, "device " + device.hex(), "is disabled or revoked",
              "ask the owner of the account");
}

// Signatures of the record and the certificate by the root key, and the role.
Status check_records(const V4Enrolment& enrolment) {
  const repository::RepositoryRecord& record = enrolment.repository;
  const repository::Certificate& certificate = enrolment.newcomer.certificate;
  const std::string object = "device " + enrolment.newcomer.device.hex();
  CB_TRY(repository::verify_record(record, record.root));
  if (certificate.invite) return failed(Code::denied, object, "was invited, so join instead");
  CB_TRY(repository::verify_certificate(certificate, record));
  if (certificate.role != repository::Role::owner)
    return failed(Code::denied, object, "is not certified as an owner",
                  "a token enrols the first owner of an account");
  const auto& slots = enrolment.newcomer.slots;
  if (slots.empty() || slots.size() > kMostSlots)
    return failed(Code::limit, "enrolment",
                  "brings " + std::to_string(slots.size()) + " key slots, not 1 to " +
                      std::to_string(kMostSlots));
  for (const repository::KeySlot& slot : slots) CB_TRY(check_slot(record, slot));
  return check_room({}, slots);
}

}  // namespace

Status unless_there(Status done) {
  if (!done && done.error().code == Code::exists) return {};
  return done;
}

V4Member member_of(const catalog::Account& account, const repository::RepositoryId& repository,
                   const V4NewDevice& device) {
  V4Member member;
  member.account = account;
  member.device = device.device;
  member.public_key = device.certificate.device;
  member.role = device.certificate.role;
  member.shares_dedup = (device.certificate.flags & repository::kDeviceSharesDedup) != 0;
  member.certificate = device.record;
  member.repository = repository;
  return member;
}

catalog::Device row_of(const catalog::Account& account, const V4NewDevice& device, int64_t now_ns) {
  catalog::Device row;
  row.id = device.device.bytes;
  row.account = account.number;
  row.public_key = device.certificate.device;
  row.certificate = device.record;
  row.role = static_cast<uint64_t>(device.certificate.role);
  row.created_ns = now_ns;
  row.last_seen_ns = now_ns;
  return row;
}

Result<catalog::Device> V4Accounts::prove(const repository::DeviceId& device, ByteView statement,
                                          const repository::Signature& signature) const {
  CB_ASSIGN(const std::optional<catalog::Device> known,
            parts_.accounts->device_by_id(device.bytes));
  if (known && identity::verify(known->public_key, statement, signature)) return *known;
  return failed(refused(device));
}

Result<V4Member> V4Accounts::login(const catalog::Device& known) const {
  const repository::DeviceId device{known.id};
  CB_ASSIGN(const std::optional<catalog::Account> account,
            parts_.accounts->account_by_number(known.account));
  if (!account) return failed(refused(device));
  V4Member member;
  member.account = *account;
  member.device = device;
  member.public_key = known.public_key;
  member.certificate = known.certificate;
  CB_TRY(confirm(member));
  CB_ASSIGN(const std::optional<repository::RepositoryId> repository,
            parts_.engine->of_account(account->name));
  if (!repository) return failed(Code::not_found, "account " + account->name, "has no repository");
  member.repository = *repository;
  CB_ASSIGN(const auto certificate, repository::decode_certificate(known.certificate));
  CB_ASSIGN(const repository::RepositoryRecord record, parts_.engine->record(*repository));
  if (repository::revoked_since(record, certificate)) return failed(is_out(device));
  member.role = certificate.role;
  member.shares_dedup = (certificate.flags & repository::kDeviceSharesDedup) != 0;
  parts_.seen->note(device, now());
  return member;
}

Result<repository::Viewer> V4Accounts::viewer_of(const V4Member& member,
                                                 const repository::DeviceId& device) const {
  if (device.is_zero()) return repository::Viewer{};
  CB_ASSIGN(const auto known, parts_.accounts->device_by_id(device.bytes));
  if (!known || known->account != member.account.number)
    return failed(Code::not_found, "device " + device.hex(), "is none of this account");
  return parts_.engine->viewer(device);
}

Status confirm_member(catalog::Accounts& accounts, const V4Member& member) {
  CB_ASSIGN(const auto account, accounts.account_by_number(member.account.number));
  if (!account || account->disabled) return failed(account_disabled(member.account.name));
  if (member.device.is_zero()) {
    if (account->password_hash == member.account.password_hash) return {};
    return failed(Code::denied, "account " + member.account.name, "has another password now",
                  "log in again");
  }
  CB_ASSIGN(const auto device, accounts.device_by_id(member.device.bytes));
  if (!device || device->state != catalog::DeviceState::active)
    return failed(is_out(member.device));
  return {};
}

Result<V4Member> V4Accounts::enroll(const V4Enrolment& enrolment, ByteView statement,
                                    const repository::Signature& signature) const {
  CB_TRY(identity::verify(enrolment.newcomer.certificate.device, statement, signature));
  CB_TRY(check_records(enrolment));
  CB_ASSIGN(const catalog::PairingToken token, token_for(enrolment));
  CB_ASSIGN(const std::optional<catalog::Account> account,
            parts_.accounts->account_by_number(token.account));
  if (!account) return failed(token_refused("belongs to no account"));
  CB_TRY(check_account(*account, enrolment));
  CB_TRY(install(enrolment, token, *account));
  V4Member member = member_of(*account, enrolment.repository.id, enrolment.newcomer);
  CB_TRY(confirm(member));
  return member;
}

// An enrolment that came to its end brings nothing more: its token is no key to the slots.
Status V4Accounts::install(const V4Enrolment& enrolment, const catalog::PairingToken& token,
                           const catalog::Account& account) const {
  const V4NewDevice& device = enrolment.newcomer;
  if (!token.used_by) CB_TRY(parts_.accounts->use_token(token.id, device.device.bytes, now()));
  CB_ASSIGN(const auto there, parts_.accounts->device_by_id(device.device.bytes));
  if (there) return {};
  CB_TRY(make_repository(enrolment, account));
  CB_TRY(unless_there(parts_.accounts->add_device(row_of(account, device, now()))));
  return parts_.notes->keep(account.number);
}

// The token, if this device may use it now.
Result<catalog::PairingToken> V4Accounts::token_for(const V4Enrolment& enrolment) const {
  CB_ASSIGN(const std::optional<catalog::PairingToken> token,
            parts_.accounts->token_by_id(enrolment.token));
  const identity::Hash hash = identity::sha256(enrolment.token_secret.view());
  if (!token || !equal_in_constant_time(hash, token->secret_hash))
    return failed(token_refused("is not known here"));
  if (token->used_by && *token->used_by != enrolment.newcomer.device.bytes)
    return failed(token_refused("has been used"));
  if (!token->used_by && token->expires_ns <= now()) return failed(token_refused("has expired"));
  return *token;
}

Status V4Accounts::check_account(const catalog::Account& account,
                                 const V4Enrolment& enrolment) const {
  if (account.disabled) return failed(account_disabled(account.name));
  if (account.kind == catalog::AccountKind::v3)
    return failed(Code::denied, "account " + account.name, "belongs to a client of protocol 3",
                  "use this token in the old client's folder: cyberbackup migrate TOKEN");
  CB_ASSIGN(const std::optional<repository::RepositoryId> repository,
            parts_.engine->of_account(account.name));
  if (repository && *repository != enrolment.repository.id)
    return failed(Code::denied, "account " + account.name, "has an owner already",
                  "let an owner's device invite this one, or use another account");
  const repository::DeviceId& id = enrolment.newcomer.device;
  CB_ASSIGN(const auto device, parts_.accounts->device_by_id(id.bytes));
  if (device && device->account != account.number)
    return failed(Code::denied, "device " + id.hex(), "belongs to another account",
                  "enroll under another profile");
  return {};
}

Status V4Accounts::make_repository(const V4Enrolment& enrolment,
                                   const catalog::Account& account) const {
  const repository::RepositoryId& id = enrolment.repository.id;
  CB_TRY(unless_there(parts_.engine->create(enrolment.repository, account.name)));
  CB_ASSIGN(const std::optional<repository::RepositoryId> made,
            parts_.engine->of_account(account.name));
  CB_ASSIGN(const repository::RepositoryRecord record, parts_.engine->record(id));
  // Whoever knows the id must not bring a root key of his own.
  if (made != id || record.root != enrolment.repository.root)
    return failed(Code::denied, "account " + account.name, "has an owner already",
                  "use another account");
  for (const repository::KeySlot& slot : enrolment.newcomer.slots)
    CB_TRY(parts_.engine->add_slot(id, slot));
  return parts_.engine->add_certificate(id, enrolment.newcomer.certificate);
}

}  // namespace cb::server
