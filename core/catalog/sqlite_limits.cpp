// SPDX-License-Identifier: Apache-2.0
//
// The SQL of limits and usage.
#include "core/catalog/sqlite_limits.h"

namespace cb::catalog {
namespace {

constexpr const char* kAccount = "SELECT 1 FROM account WHERE number = ?";
constexpr const char* kLimits =
    "SELECT device, name, value, set_ns, set_by FROM limit_value WHERE account = ?"
    " ORDER BY device, name";
constexpr const char* kSetLimit =
    "INSERT INTO limit_value (account, device, name, value, set_ns, set_by)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value,"
    " set_ns = excluded.set_ns, set_by = excluded.set_by";
constexpr const char* kRemoveLimit =
    "DELETE FROM limit_value WHERE account = ? AND device = ? AND name = ?";
constexpr const char* kUsage =
    "SELECT device, sum(pack_bytes), sum(record_bytes), max(growth) FROM stored_usage"
    " WHERE repository IN (SELECT number FROM repository WHERE account = ?)"
    " GROUP BY device ORDER BY device";
constexpr const char* kOverSoft =
    "SELECT device, since_ns FROM over_soft WHERE account = ? ORDER BY device";
constexpr const char* kSetOverSoft =
    "INSERT INTO over_soft (account, device, since_ns) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET since_ns = excluded.since_ns";
constexpr const char* kEndOverSoft = "DELETE FROM over_soft WHERE account = ? AND device = ?";

Status check_account(Connection& connection, int64_t account) {
  CB_ASSIGN(Statement select, connection.prepare(kAccount));
  CB_ASSIGN(const bool there, select.bind(account).step());
  if (there) return {};
  return failed(Code::not_found, "account " + std::to_string(account), "is not in the catalog");
}

Status set_limit(Connection& connection, int64_t account, const LimitRow& row) {
  CB_ASSIGN(Statement set, connection.prepare(kSetLimit));
  set.bind(account).bind(ByteView(row.device)).bind_text(row.name);
  set.bind(static_cast<int64_t>(row.value)).bind(row.set_ns);
  return set.bind(as_bytes(row.set_by)).run();
}

}  // namespace

Result<std::vector<LimitRow>> SqliteLimits::limits(int64_t account) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kLimits));
  select.bind(account);
  std::vector<LimitRow> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    LimitRow& limit = all.emplace_back();
    CB_ASSIGN(limit.device, fixed_bytes<16>(select, 0, *reader_.connection));
    limit.name = select.text(1);
    limit.value = static_cast<uint64_t>(select.integer(2));
    limit.set_ns = select.integer(3);
    limit.set_by = as_text(select.blob(4));
  }
}

Status SqliteLimits::set_limits(int64_t account, const std::vector<LimitRow>& rows) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  CB_TRY(check_account(connection, account));
  for (const LimitRow& row : rows) CB_TRY(set_limit(connection, account, row));
  return transaction.commit();
}

Status SqliteLimits::remove_limits(int64_t account, const Bytes16& device,
                                   const std::vector<std::string>& names) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  for (const std::string& name : names) {
    CB_ASSIGN(Statement remove, connection.prepare(kRemoveLimit));
    CB_TRY(remove.bind(account).bind(ByteView(device)).bind_text(name).run());
  }
  return transaction.commit();
}

Result<std::vector<UsageRow>> SqliteLimits::usage(int64_t account) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kUsage));
  select.bind(account);
  std::vector<UsageRow> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    UsageRow& usage = all.emplace_back();
    CB_ASSIGN(usage.device, fixed_bytes<16>(select, 0, *reader_.connection));
    usage.pack_bytes = static_cast<uint64_t>(select.integer(1));
    usage.record_bytes = static_cast<uint64_t>(select.integer(2));
    usage.growth = static_cast<uint64_t>(select.integer(3));
  }
}

Result<std::vector<OverSoftRow>> SqliteLimits::over_soft(int64_t account) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kOverSoft));
  select.bind(account);
  std::vector<OverSoftRow> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    OverSoftRow& over = all.emplace_back();
    CB_ASSIGN(over.device, fixed_bytes<16>(select, 0, *reader_.connection));
    over.since_ns = select.integer(1);
  }
}

Status SqliteLimits::set_over_soft(int64_t account, const OverSoftRow& row) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_TRY(check_account(connection, account));
  CB_ASSIGN(Statement set, connection.prepare(row.since_ns == 0 ? kEndOverSoft : kSetOverSoft));
  set.bind(account).bind(ByteView(row.device));
  if (row.since_ns != 0) set.bind(row.since_ns);
  return set.run();
}

}  // namespace cb::catalog
