// SPDX-License-Identifier: Apache-2.0
//
// The SQL of the audit log.
#include "core/catalog/sqlite_audit.h"

namespace cb::catalog {
namespace {

constexpr const char* kAppend = "INSERT INTO audit (sequence, record, hash) VALUES (?, ?, ?)";
constexpr const char* kLast =
    "SELECT sequence, record, hash FROM audit ORDER BY sequence DESC LIMIT 1";
constexpr const char* kRows =
    "SELECT sequence, record, hash FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?";

Result<AuditRow> read_row(const Statement& row, const Connection& connection) {
  AuditRow read;
  read.sequence = row.integer(0);
  read.record = to_bytes(row.blob(1));
  CB_ASSIGN(read.hash, fixed_bytes<32>(row, 2, connection));
  return read;
}

Result<std::optional<AuditRow>> find_last(Connection& connection) {
  CB_ASSIGN(Statement select, connection.prepare(kLast));
  CB_ASSIGN(const bool found, select.step());
  if (!found) return std::nullopt;
  CB_ASSIGN(AuditRow row, read_row(select, connection));
  return row;
}

}  // namespace

Status SqliteAudit::append(
    const std::function<std::vector<AuditRow>(const std::optional<AuditRow>& last)>& next) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  CB_ASSIGN(const auto before, find_last(connection));
  for (const AuditRow& row : next(before)) {
    CB_ASSIGN(Statement insert, connection.prepare(kAppend));
    insert.bind(row.sequence).bind(ByteView(row.record)).bind(ByteView(row.hash));
    CB_TRY(insert.run());
  }
  return transaction.commit();
}

Result<std::optional<AuditRow>> SqliteAudit::last() {
  const std::lock_guard lock(reader_.mutex);
  return find_last(*reader_.connection);
}

Result<std::vector<AuditRow>> SqliteAudit::rows(int64_t after, size_t most) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kRows));
  select.bind(after).bind(static_cast<int64_t>(most));
  std::vector<AuditRow> found;
  for (;;) {
    CB_ASSIGN(const bool has_row, select.step());
    if (!has_row) return found;
    CB_ASSIGN(AuditRow row, read_row(select, *reader_.connection));
    found.push_back(std::move(row));
  }
}

}  // namespace cb::catalog
