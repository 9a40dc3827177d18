// SPDX-License-Identifier: Apache-2.0
#include "core/replication/members_copy.h"

#include "core/repository/signatures.h"
#include "core/server/replication_settings.h"

namespace cb::replication {
namespace {

using catalog::DeviceState;
using repository::Certificate;
using repository::DeviceEntry;

// Revoking is for good, so it is the owner's word alone; what the source says can be taken back.
DeviceState state_of(const DeviceEntry& entry, const repository::RepositoryRecord& record) {
  if (repository::revoked_since(record, entry.certificate)) return DeviceState::revoked;
  return entry.state == 0 ? DeviceState::active : DeviceState::disabled;
}

Status add_device_of_copy(const MembersParts& parts, const repository::RepositoryRecord& record,
                          int64_t account, const DeviceEntry& entry) {
  const Certificate& certificate = entry.certificate;
  catalog::Device row;
  row.id = repository::device_of(certificate.device).bytes;
  row.account = account;
  row.public_key = certificate.device;
  row.certificate = repository::encode(certificate);
  row.role = static_cast<uint64_t>(certificate.role);
  row.state = state_of(entry, record);
  row.created_ns = certificate.created_ns;
  row.last_seen_ns = entry.last_seen_ns;
  CB_TRY(parts.engine->add_certificate(record.id, certificate));
  return parts.catalog->accounts().add_device(row);
}

// What is revoked stays so.
Status set_state(catalog::Accounts& accounts, const catalog::Device& known, DeviceState state) {
  if (known.state == state || known.state == DeviceState::revoked) return {};
  return accounts.set_device_state(known.id, state);
}

Status take_device(const MembersParts& parts, const repository::RepositoryRecord& record,
                   int64_t account, const DeviceEntry& entry) {
  const repository::DeviceId id = repository::device_of(entry.certificate.device);
  if (!repository::verify_certificate(entry.certificate, record))
    return failed(Code::auth, "device " + id.hex(), "is certified by no owner",
                  "ask the source's operator what happened; nothing of it was taken");
  catalog::Accounts& accounts = parts.catalog->accounts();
  CB_ASSIGN(const auto known, accounts.device_by_id(id.bytes));
  if (!known) return add_device_of_copy(parts, record, account, entry);
  if (known->account != account)
    return failed(Code::exists, "device " + id.hex(), "is of another account here");
  return set_state(accounts, *known, state_of(entry, record));
}

}  // namespace

Status make_account(const MembersParts& parts, const repository::AccountRecord& account) {
  if (!server::is_account_name(account.name))
    return failed(Code::invalid, "account of the source", "has a name that is none");
  catalog::Accounts& accounts = parts.catalog->accounts();
  CB_ASSIGN(const auto there, accounts.account_by_name(account.name));
  if (!there) {
    catalog::Account row;
    row.name = account.name;
    row.created_ns = account.created_ns;
    CB_TRY(accounts.add_account(row));
    return {};
  }
  CB_ASSIGN(const auto devices, accounts.devices(there->number));
  // A run that was ended right after it made this one.
  const bool is_begun = there->kind == catalog::AccountKind::v4 && devices.empty() &&
                        there->created_ns == account.created_ns;
  if (is_begun) return {};
  return failed(Code::exists, "account " + account.name, "is this server's own",
                "leave it out with accounts = [...] of the source, or rename one of the two");
}

Status take_members(const MembersParts& parts, const repository::RepositoryRecord& record,
                    const repository::AccountRecord& account,
                    const std::vector<DeviceEntry>& devices) {
  catalog::Accounts& accounts = parts.catalog->accounts();
  CB_ASSIGN(const auto there, accounts.account_by_name(account.name));
  if (!there) return failed(Code::not_found, "account " + account.name, "is not here");
  if (!account.password_hash.empty() && there->password_hash != account.password_hash)
    CB_TRY(accounts.set_password_hash(there->number, account.password_hash));
  for (const DeviceEntry& entry : devices) CB_TRY(take_device(parts, record, there->number, entry));
  return parts.notes->keep(there->number);
}

}  // namespace cb::replication
