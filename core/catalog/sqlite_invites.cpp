// SPDX-License-Identifier: Apache-2.0
//
// The SQL of invites.
#include "core/catalog/sqlite_accounts.h"

namespace cb::catalog {
namespace {

#define CB_SELECT_INVITE \
  "SELECT id, account, record, proof_hash, sealed_keys, expires_ns, used_by FROM invite"

constexpr const char* kAddInvite =
    "INSERT INTO invite (id, account, record, proof_hash, sealed_keys, expires_ns)"
    " SELECT ?1, number, ?3, ?4, ?5, ?6 FROM account WHERE number = ?2";
constexpr const char* kInviteById = CB_SELECT_INVITE " WHERE id = ?";
constexpr const char* kInvites = CB_SELECT_INVITE " WHERE account = ? ORDER BY number";
// One statement decides, so that of two who try at once one gets it.
constexpr const char* kUseInvite =
    "UPDATE invite SET used_by = ? WHERE id = ? AND used_by IS NULL AND expires_ns > ?";
constexpr const char* kFinishInvite = "UPDATE invite SET sealed_keys = x'' WHERE id = ?";
constexpr const char* kRemoveInvite = "DELETE FROM invite WHERE id = ?";

std::string invite_name(const Bytes16& id) { return "invite " + to_hex(id); }

Error unknown(std::string what) {
  return fail(Code::not_found, std::move(what), "is not in the catalog");
}

Result<InviteRow> read_invite(const Statement& row, const Connection& connection) {
  InviteRow invite;
  CB_ASSIGN(invite.id, fixed_bytes<16>(row, 0, connection));
  invite.account = row.integer(1);
  invite.record = to_bytes(row.blob(2));
  CB_ASSIGN(invite.proof_hash, fixed_bytes<32>(row, 3, connection));
  invite.sealed_keys = to_bytes(row.blob(4));
  invite.expires_ns = row.integer(5);
  if (!row.blob(6).empty()) {
    CB_ASSIGN(invite.used_by, fixed_bytes<16>(row, 6, connection));
  }
  return invite;
}

Result<std::optional<InviteRow>> find_invite(Connection& connection, const Bytes16& id) {
  CB_ASSIGN(Statement select, connection.prepare(kInviteById));
  CB_ASSIGN(const bool row, select.bind(ByteView(id)).step());
  if (!row) return std::nullopt;
  CB_ASSIGN(InviteRow invite, read_invite(select, connection));
  return invite;
}

// Runs a change of one invite.
Status change_one(Connection& connection, const char* sql, const Bytes16& id) {
  CB_ASSIGN(Statement change, connection.prepare(sql));
  CB_TRY(change.bind(ByteView(id)).run());
  if (connection.changes() == 0) return failed(unknown(invite_name(id)));
  return {};
}

}  // namespace

Status SqliteAccounts::add_invite(const InviteRow& invite) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement insert, writer_.connection->prepare(kAddInvite));
  insert.bind(ByteView(invite.id)).bind(invite.account).bind(ByteView(invite.record));
  insert.bind(ByteView(invite.proof_hash)).bind(ByteView(invite.sealed_keys));
  const Status done = insert.bind(invite.expires_ns).run();
  if (!done && done.error().code == Code::exists)
    return failed(Code::exists, invite_name(invite.id), "is in the catalog already");
  CB_TRY(done);
  if (writer_.connection->changes() == 0)
    return failed(unknown("account " + std::to_string(invite.account)));
  return {};
}

Result<std::optional<InviteRow>> SqliteAccounts::invite_by_id(const Bytes16& id) {
  const std::lock_guard lock(reader_.mutex);
  return find_invite(*reader_.connection, id);
}

Result<std::vector<InviteRow>> SqliteAccounts::invites(int64_t account) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kInvites));
  select.bind(account);
  std::vector<InviteRow> found;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return found;
    CB_ASSIGN(InviteRow invite, read_invite(select, *reader_.connection));
    found.push_back(std::move(invite));
  }
}

Status SqliteAccounts::use_invite(const Bytes16& id, const Bytes16& device, int64_t now_ns) {
  const std::lock_guard lock(writer_.mutex);
  {
    CB_ASSIGN(Statement use, writer_.connection->prepare(kUseInvite));
    CB_TRY(use.bind(ByteView(device)).bind(ByteView(id)).bind(now_ns).run());
    if (writer_.connection->changes() == 1) return {};
  }
  CB_ASSIGN(const std::optional<InviteRow> invite, find_invite(*writer_.connection, id));
  if (!invite) return failed(unknown(invite_name(id)));
  return failed(Code::denied, invite_name(id), invite->used_by ? "was used before" : "has expired",
                "ask an owner for a new one: cyberbackup device invite");
}

Status SqliteAccounts::finish_invite(const Bytes16& id) {
  const std::lock_guard lock(writer_.mutex);
  return change_one(*writer_.connection, kFinishInvite, id);
}

Status SqliteAccounts::remove_invite(const Bytes16& id) {
  const std::lock_guard lock(writer_.mutex);
  return change_one(*writer_.connection, kRemoveInvite, id);
}

}  // namespace cb::catalog
