// SPDX-License-Identifier: Apache-2.0
//
// The SQL of accounts, tokens and devices.
#include "core/catalog/sqlite_accounts.h"

namespace cb::catalog {
namespace {

#define CB_ACCOUNT_COLUMNS "number, name, kind, disabled, created_ns, password_hash"
#define CB_DEVICE_COLUMNS \
  "id, account, public_key, certificate, role, state, created_ns, last_seen_ns"

constexpr const char* kAddAccount =
    "INSERT INTO account (name, kind, disabled, created_ns, password_hash)"
    " VALUES (?, ?, ?, ?, ?) RETURNING number";
constexpr const char* kAccountByName = "SELECT " CB_ACCOUNT_COLUMNS " FROM account WHERE name = ?";
constexpr const char* kAccountByNumber =
    "SELECT " CB_ACCOUNT_COLUMNS " FROM account WHERE number = ?";
constexpr const char* kAccounts = "SELECT " CB_ACCOUNT_COLUMNS " FROM account ORDER BY name";
constexpr const char* kSetDisabled = "UPDATE account SET disabled = ? WHERE number = ?";
constexpr const char* kSetKind = "UPDATE account SET kind = ? WHERE number = ?";
constexpr const char* kSetPassword = "UPDATE account SET password_hash = ? WHERE number = ?";
constexpr const char* kAddToken =
    "INSERT INTO token (id, secret_hash, account, expires_ns)"
    " SELECT ?1, ?2, number, ?4 FROM account WHERE number = ?3";
constexpr const char* kTokenById =
    "SELECT id, secret_hash, account, expires_ns, used_by FROM token WHERE id = ?";
// One statement decides, so that of two who try at once one gets it.
constexpr const char* kUseToken =
    "UPDATE token SET used_by = ? WHERE id = ? AND used_by IS NULL AND expires_ns > ?";
constexpr const char* kAddDevice =
    "INSERT INTO device (" CB_DEVICE_COLUMNS
    ")"
    " SELECT ?1, number, ?3, ?4, ?5, ?6, ?7, ?8 FROM account WHERE number = ?2";
constexpr const char* kDeviceById = "SELECT " CB_DEVICE_COLUMNS " FROM device WHERE id = ?";
constexpr const char* kDevices =
    "SELECT " CB_DEVICE_COLUMNS " FROM device WHERE account = ? ORDER BY created_ns, id";
constexpr const char* kSetState =
    "UPDATE device SET state = ?1 WHERE id = ?2 AND (state <> 2 OR ?1 = 2)";
constexpr const char* kTouchDevice = "UPDATE device SET last_seen_ns = ? WHERE id = ?";

std::string token_name(const Bytes16& id) { return "token " + to_hex(id); }
std::string device_name(const Bytes16& id) { return "device " + to_hex(id); }

Error unknown(std::string what) {
  return fail(Code::not_found, std::move(what), "is not in the catalog");
}

Account read_account(const Statement& row) {
  Account account;
  account.number = row.integer(0);
  account.name = row.text(1);
  account.kind = static_cast<AccountKind>(row.integer(2));
  account.disabled = row.integer(3) != 0;
  account.created_ns = row.integer(4);
  account.password_hash = row.text(5);
  return account;
}

Result<Device> read_device(const Statement& row, const Connection& connection) {
  Device device;
  CB_ASSIGN(device.id, fixed_bytes<16>(row, 0, connection));
  device.account = row.integer(1);
  CB_ASSIGN(device.public_key, fixed_bytes<32>(row, 2, connection));
  device.certificate = to_bytes(row.blob(3));
  device.role = static_cast<uint64_t>(row.integer(4));
  device.state = static_cast<DeviceState>(row.integer(5));
  device.created_ns = row.integer(6);
  device.last_seen_ns = row.integer(7);
  return device;
}

// Runs an insert whose SELECT finds no row when the account is unknown.
Status insert_for_account(Connection& connection, Statement& insert, int64_t account,
                          const std::string& what) {
  const Status done = insert.run();
  if (!done && done.error().code == Code::exists)
    return failed(Code::exists, what, "is in the catalog already");
  CB_TRY(done);
  if (connection.changes() == 0) return failed(unknown("account " + std::to_string(account)));
  return {};
}

Result<std::optional<Account>> first_account(Statement select) {
  CB_ASSIGN(const bool row, select.step());
  if (!row) return std::nullopt;
  return read_account(select);
}

Result<std::optional<PairingToken>> find_token(Connection& connection, const Bytes16& id) {
  CB_ASSIGN(Statement select, connection.prepare(kTokenById));
  CB_ASSIGN(const bool row, select.bind(ByteView(id)).step());
  if (!row) return std::nullopt;
  PairingToken token;
  CB_ASSIGN(token.id, fixed_bytes<16>(select, 0, connection));
  CB_ASSIGN(token.secret_hash, fixed_bytes<32>(select, 1, connection));
  token.account = select.integer(2);
  token.expires_ns = select.integer(3);
  if (!select.blob(4).empty()) {
    CB_ASSIGN(token.used_by, fixed_bytes<16>(select, 4, connection));
  }
  return token;
}

Result<std::optional<Device>> find_device(Connection& connection, const Bytes16& id) {
  CB_ASSIGN(Statement select, connection.prepare(kDeviceById));
  CB_ASSIGN(const bool row, select.bind(ByteView(id)).step());
  if (!row) return std::nullopt;
  CB_ASSIGN(Device device, read_device(select, connection));
  return device;
}

}  // namespace

Result<int64_t> SqliteAccounts::add_account(const Account& account) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement insert, writer_.connection->prepare(kAddAccount));
  insert.bind(as_bytes(account.name)).bind(static_cast<int64_t>(account.kind));
  insert.bind(account.disabled ? 1 : 0).bind(account.created_ns);
  insert.bind(as_bytes(account.password_hash));
  const Result<bool> row = insert.step();
  if (!row && row.error().code == Code::exists)
    return failed(Code::exists, "account " + account.name, "is there already",
                  "choose another name");
  if (!row) return failed(row.error());
  const int64_t number = insert.integer(0);
  CB_TRY(insert.run());
  return number;
}

Result<std::optional<Account>> SqliteAccounts::account_by_name(const std::string& name) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kAccountByName));
  select.bind(as_bytes(name));
  return first_account(std::move(select));
}

Result<std::optional<Account>> SqliteAccounts::account_by_number(int64_t number) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kAccountByNumber));
  select.bind(number);
  return first_account(std::move(select));
}

Result<std::vector<Account>> SqliteAccounts::accounts() {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kAccounts));
  std::vector<Account> found;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return found;
    found.push_back(read_account(select));
  }
}

Status SqliteAccounts::set_account_disabled(int64_t number, bool disabled) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement set, writer_.connection->prepare(kSetDisabled));
  CB_TRY(set.bind(disabled ? 1 : 0).bind(number).run());
  if (writer_.connection->changes() == 0)
    return failed(unknown("account " + std::to_string(number)));
  return {};
}

Status SqliteAccounts::set_account_kind(int64_t number, AccountKind kind) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement set, writer_.connection->prepare(kSetKind));
  CB_TRY(set.bind(static_cast<int64_t>(kind)).bind(number).run());
  if (writer_.connection->changes() == 0)
    return failed(unknown("account " + std::to_string(number)));
  return {};
}

Status SqliteAccounts::set_password_hash(int64_t number, const std::string& hash) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement set, writer_.connection->prepare(kSetPassword));
  CB_TRY(set.bind(as_bytes(hash)).bind(number).run());
  if (writer_.connection->changes() == 0)
    return failed(unknown("account " + std::to_string(number)));
  return {};
}

Status SqliteAccounts::add_token(const PairingToken& token) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement insert, writer_.connection->prepare(kAddToken));
  insert.bind(ByteView(token.id)).bind(ByteView(token.secret_hash));
  insert.bind(token.account).bind(token.expires_ns);
  return insert_for_account(*writer_.connection, insert, token.account, token_name(token.id));
}

Result<std::optional<PairingToken>> SqliteAccounts::token_by_id(const Bytes16& id) {
  const std::lock_guard lock(reader_.mutex);
  return find_token(*reader_.connection, id);
}

Status SqliteAccounts::use_token(const Bytes16& id, const Bytes16& device, int64_t now_ns) {
  const std::lock_guard lock(writer_.mutex);
  {
    CB_ASSIGN(Statement use, writer_.connection->prepare(kUseToken));
    CB_TRY(use.bind(ByteView(device)).bind(ByteView(id)).bind(now_ns).run());
    if (writer_.connection->changes() == 1) return {};
  }
  CB_ASSIGN(const std::optional<PairingToken> token, find_token(*writer_.connection, id));
  if (!token) return failed(unknown(token_name(id)));
  return failed(Code::denied, token_name(id), token->used_by ? "was used before" : "has expired",
                "ask the operator for a new one");
}

Status SqliteAccounts::add_device(const Device& device) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement insert, writer_.connection->prepare(kAddDevice));
  insert.bind(ByteView(device.id)).bind(device.account).bind(ByteView(device.public_key));
  insert.bind(ByteView(device.certificate)).bind(static_cast<int64_t>(device.role));
  insert.bind(static_cast<int64_t>(device.state)).bind(device.created_ns);
  insert.bind(device.last_seen_ns);
  return insert_for_account(*writer_.connection, insert, device.account, device_name(device.id));
}

Result<std::optional<Device>> SqliteAccounts::device_by_id(const Bytes16& id) {
  const std::lock_guard lock(reader_.mutex);
  return find_device(*reader_.connection, id);
}

Result<std::vector<Device>> SqliteAccounts::devices(int64_t account) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kDevices));
  select.bind(account);
  std::vector<Device> found;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return found;
    CB_ASSIGN(Device device, read_device(select, *reader_.connection));
    found.push_back(std::move(device));
  }
}

Status SqliteAccounts::set_device_state(const Bytes16& id, DeviceState state) {
  const std::lock_guard lock(writer_.mutex);
  {
    CB_ASSIGN(Statement set, writer_.connection->prepare(kSetState));
    CB_TRY(set.bind(static_cast<int64_t>(state)).bind(ByteView(id)).run());
    if (writer_.connection->changes() == 1) return {};
  }
  CB_ASSIGN(const std::optional<Device> device, find_device(*writer_.connection, id));
  if (!device) return failed(unknown(device_name(id)));
  return failed(Code::denied, device_name(id), "is revoked, which is for good",
                "enrol it again as a new device");
}

Status SqliteAccounts::touch_devices(std::span<const DeviceSeen> all) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  return make_unhurried(connection, [&]() -> Status {
    CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
    for (const DeviceSeen& one : all) {
      CB_ASSIGN(Statement set, connection.prepare(kTouchDevice));
      CB_TRY(set.bind(one.seen_ns).bind(ByteView(one.id)).run());
    }
    return transaction.commit();
  });
}

}  // namespace cb::catalog
