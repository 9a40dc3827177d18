// SPDX-License-Identifier: Apache-2.0
//
// The SQL of repositories that are copies, and of what of them is here.
#include "core/catalog/sqlite_replication.h"

namespace cb::catalog {
namespace {

constexpr const char* kAddRepository =
    "INSERT INTO repository (id, account, record)"
    " SELECT ?1, number, ?3 FROM account WHERE name = ?2 RETURNING number";
constexpr const char* kSetReplica =
    "INSERT OR REPLACE INTO replica (repository, source, server_key, keeps_removed)"
    " VALUES (?, ?, ?, ?)";
constexpr const char* kReplica =
    "SELECT source, server_key, keeps_removed FROM replica WHERE repository = ?";
constexpr const char* kAllAbsent =
    "SELECT snapshot, dropped, in_trash FROM replica_absent WHERE repository = ?"
    " ORDER BY snapshot";
constexpr const char* kOneAbsent =
    "SELECT snapshot, dropped, in_trash FROM replica_absent"
    " WHERE repository = ? AND snapshot = ?";
constexpr const char* kSetAbsent =
    "INSERT OR REPLACE INTO replica_absent (repository, snapshot, dropped, in_trash)"
    " VALUES (?, ?, ?, ?)";
constexpr const char* kClearAbsent =
    "DELETE FROM replica_absent WHERE repository = ? AND snapshot = ?";
constexpr const char* kNoteDropped =
    "INSERT OR REPLACE INTO replica_absent (repository, snapshot, dropped, in_trash)"
    " SELECT repository, id, 1, in_trash FROM snapshot WHERE repository = ? AND id = ?";
constexpr const char* kDropSnapshot = "DELETE FROM snapshot WHERE repository = ? AND id = ?";
constexpr const char* kBringSnapshot =
    "INSERT OR REPLACE INTO snapshot (repository, id, sequence, in_trash)"
    " SELECT c.repository, c.snapshot, c.sequence, a.in_trash FROM replica_absent a"
    " JOIN commit_record c ON c.repository = a.repository AND c.snapshot = a.snapshot"
    " WHERE a.repository = ? AND a.snapshot = ? AND c.type = 1 ORDER BY c.sequence LIMIT 1";
constexpr const char* kClose = "UPDATE blob SET closed = 1 WHERE number = ?";

Status set_replica_row(Connection& connection, const ReplicaRow& row) {
  CB_ASSIGN(Statement set, connection.prepare(kSetReplica));
  set.bind(row.repository).bind(as_bytes(row.source)).bind(ByteView(row.server_key));
  return set.bind(int64_t{row.keeps_removed ? 1 : 0}).run();
}

Result<int64_t> insert_repository(Connection& connection, const Bytes16& id,
                                  const std::string& account, ByteView record) {
  CB_ASSIGN(Statement insert, connection.prepare(kAddRepository));
  const Result<bool> row = insert.bind(ByteView(id)).bind(as_bytes(account)).bind(record).step();
  if (!row && row.error().code == Code::exists)
    return failed(Code::exists, "repository " + to_hex(id), "is in the catalog already");
  if (!row) return failed(row.error());
  if (!*row) return failed(Code::not_found, "account " + account, "is not in the catalog");
  return insert.integer(0);
}

Result<AbsentSnapshot> read_absent(const Statement& row, const Connection& connection) {
  AbsentSnapshot absent;
  CB_ASSIGN(absent.snapshot, fixed_bytes<32>(row, 0, connection));
  absent.dropped = row.integer(1) != 0;
  absent.in_trash = row.integer(2) != 0;
  return absent;
}

// Runs a change of one snapshot; how many rows it changed.
Result<int64_t> change_one(Connection& connection, const char* sql, int64_t repository,
                           const Bytes32& snapshot) {
  CB_ASSIGN(Statement change, connection.prepare(sql));
  CB_TRY(change.bind(repository).bind(ByteView(snapshot)).run());
  return connection.changes();
}

Error not_here(const Bytes32& snapshot) {
  return fail(Code::not_found, "snapshot " + to_hex(snapshot), "is not here");
}

}  // namespace

Result<int64_t> SqliteReplication::add_replica(const Bytes16& id, const std::string& account,
                                               ByteView record, const ReplicaRow& row) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  ReplicaRow added = row;
  CB_ASSIGN(added.repository, insert_repository(connection, id, account, record));
  CB_TRY(set_replica_row(connection, added));
  CB_TRY(transaction.commit());
  return added.repository;
}

Status SqliteReplication::set_replica(const ReplicaRow& row) {
  const std::lock_guard lock(writer_.mutex);
  return set_replica_row(*writer_.connection, row);
}

Result<std::optional<ReplicaRow>> SqliteReplication::replica(int64_t repository) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kReplica));
  CB_ASSIGN(const bool there, select.bind(repository).step());
  if (!there) return std::nullopt;
  ReplicaRow row;
  row.repository = repository;
  row.source = as_text(select.blob(0));
  CB_ASSIGN(row.server_key, fixed_bytes<32>(select, 1, *reader_.connection));
  row.keeps_removed = select.integer(2) != 0;
  return row;
}

Result<std::vector<AbsentSnapshot>> SqliteReplication::absent(int64_t repository) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kAllAbsent));
  select.bind(repository);
  std::vector<AbsentSnapshot> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    CB_ASSIGN(const AbsentSnapshot one, read_absent(select, *reader_.connection));
    all.push_back(one);
  }
}

Result<std::optional<AbsentSnapshot>> SqliteReplication::absent(int64_t repository,
                                                                const Bytes32& snapshot) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kOneAbsent));
  CB_ASSIGN(const bool row, select.bind(repository).bind(ByteView(snapshot)).step());
  if (!row) return std::nullopt;
  CB_ASSIGN(const AbsentSnapshot one, read_absent(select, *reader_.connection));
  return one;
}

Status SqliteReplication::set_absent(int64_t repository, const AbsentSnapshot& snapshot) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement set, writer_.connection->prepare(kSetAbsent));
  set.bind(repository).bind(ByteView(snapshot.snapshot)).bind(int64_t{snapshot.dropped ? 1 : 0});
  return set.bind(int64_t{snapshot.in_trash ? 1 : 0}).run();
}

Status SqliteReplication::clear_absent(int64_t repository, const Bytes32& snapshot) {
  const std::lock_guard lock(writer_.mutex);
  CB_TRY(change_one(*writer_.connection, kClearAbsent, repository, snapshot));
  return {};
}

Status SqliteReplication::drop_snapshot(int64_t repository, const Bytes32& snapshot) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  CB_TRY(change_one(connection, kNoteDropped, repository, snapshot));
  CB_ASSIGN(const int64_t gone, change_one(connection, kDropSnapshot, repository, snapshot));
  if (gone == 0) return failed(not_here(snapshot));
  return transaction.commit();
}

Status SqliteReplication::bring_snapshot(int64_t repository, const Bytes32& snapshot,
                                         std::span<const int64_t> walked) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  for (const int64_t number : walked) {
    CB_ASSIGN(Statement close, connection.prepare(kClose));
    CB_TRY(close.bind(number).run());
  }
  CB_ASSIGN(const int64_t came, change_one(connection, kBringSnapshot, repository, snapshot));
  if (came == 0) return failed(not_here(snapshot));
  CB_TRY(change_one(connection, kClearAbsent, repository, snapshot));
  return transaction.commit();
}

}  // namespace cb::catalog
