// SPDX-License-Identifier: Apache-2.0
//
// The SQL of repositories: their records and key slots.
#include "core/catalog/sqlite_index.h"

namespace cb::catalog {
namespace {

constexpr const char* kAddRepository =
    "INSERT INTO repository (id, account, record)"
    " SELECT ?1, number, ?3 FROM account WHERE name = ?2 RETURNING number";
constexpr const char* kRepository =
    "SELECT number, id, account, record FROM repository WHERE id = ?";
constexpr const char* kRepositoryOf =
    "SELECT number, id, account, record FROM repository WHERE account = ?"
    " ORDER BY number LIMIT 1";
constexpr const char* kRepositories =
    "SELECT number, id, account, record FROM repository ORDER BY number";
constexpr const char* kSetSlot =
    "INSERT OR REPLACE INTO slot (repository, id, record) VALUES (?, ?, ?)";
constexpr const char* kSlots = "SELECT record FROM slot WHERE repository = ? ORDER BY id";
constexpr const char* kHasSlot = "SELECT 1 FROM slot WHERE repository = ? AND id = ?";
constexpr const char* kRemoveSlot =
    "DELETE FROM slot WHERE repository = ?1 AND id = ?2"
    " AND (SELECT count(*) FROM slot WHERE repository = ?1) > 1";
constexpr const char* kSetRecord = "UPDATE repository SET record = ? WHERE number = ?";
constexpr const char* kDropSlots = "DELETE FROM slot WHERE repository = ?";

Error unknown(const std::string& what) {
  return fail(Code::not_found, what, "is not in the catalog");
}

Result<RepositoryRow> read_repository(const Statement& row, const Connection& connection) {
  RepositoryRow found;
  found.number = row.integer(0);
  CB_ASSIGN(found.id, fixed_bytes<16>(row, 1, connection));
  found.account = row.integer(2);
  found.record = to_bytes(row.blob(3));
  return found;
}

// The one row that there may be.
Result<std::optional<RepositoryRow>> find_repository(Statement& select,
                                                     const Connection& connection) {
  CB_ASSIGN(const bool row, select.step());
  if (!row) return std::nullopt;
  CB_ASSIGN(RepositoryRow found, read_repository(select, connection));
  return found;
}

Status replace_slots(Connection& connection, int64_t repository,
                     const std::vector<std::pair<Bytes16, Bytes>>& slots) {
  {
    CB_ASSIGN(Statement drop, connection.prepare(kDropSlots));
    CB_TRY(drop.bind(repository).run());
  }
  for (const auto& [id, record] : slots) {
    CB_ASSIGN(Statement insert, connection.prepare(kSetSlot));
    CB_TRY(insert.bind(repository).bind(ByteView(id)).bind(ByteView(record)).run());
  }
  return {};
}

}  // namespace

Result<int64_t> SqliteIndex::add_repository(const Bytes16& id, const std::string& account,
                                            ByteView record) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement insert, writer_.connection->prepare(kAddRepository));
  insert.bind(ByteView(id)).bind(as_bytes(account)).bind(record);
  const Result<bool> row = insert.step();
  if (!row && row.error().code == Code::exists)
    return failed(Code::exists, "repository " + to_hex(id), "is in the catalog already");
  if (!row) return failed(row.error());
  if (!*row) return failed(unknown("account " + account));
  const int64_t number = insert.integer(0);
  CB_TRY(insert.run());
  return number;
}

Result<std::optional<RepositoryRow>> SqliteIndex::repository(const Bytes16& id) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kRepository));
  return find_repository(select.bind(ByteView(id)), *reader_.connection);
}

Result<std::optional<RepositoryRow>> SqliteIndex::repository_of(int64_t account) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kRepositoryOf));
  return find_repository(select.bind(account), *reader_.connection);
}

Result<std::vector<RepositoryRow>> SqliteIndex::repositories() {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kRepositories));
  std::vector<RepositoryRow> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    CB_ASSIGN(RepositoryRow found, read_repository(select, *reader_.connection));
    all.push_back(std::move(found));
  }
}

Status SqliteIndex::set_record(int64_t repository, ByteView record,
                               const std::vector<std::pair<Bytes16, Bytes>>* slots) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  {
    CB_ASSIGN(Statement set, connection.prepare(kSetRecord));
    CB_TRY(set.bind(record).bind(repository).run());
    if (connection.changes() == 0)
      return failed(unknown("repository " + std::to_string(repository)));
  }
  if (slots != nullptr) CB_TRY(replace_slots(connection, repository, *slots));
  return transaction.commit();
}

Status SqliteIndex::set_slot(int64_t repository, const Bytes16& id, ByteView record) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement insert, writer_.connection->prepare(kSetSlot));
  return insert.bind(repository).bind(ByteView(id)).bind(record).run();
}

Result<std::vector<Bytes>> SqliteIndex::slots(int64_t repository) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kSlots));
  select.bind(repository);
  std::vector<Bytes> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    all.push_back(to_bytes(select.blob(0)));
  }
}

Status SqliteIndex::remove_slot(int64_t repository, const Bytes16& id) {
  const std::lock_guard lock(writer_.mutex);
  {
    CB_ASSIGN(Statement remove, writer_.connection->prepare(kRemoveSlot));
    CB_TRY(remove.bind(repository).bind(ByteView(id)).run());
    if (writer_.connection->changes() == 1) return {};
  }
  CB_ASSIGN(Statement select, writer_.connection->prepare(kHasSlot));
  CB_ASSIGN(const bool there, select.bind(repository).bind(ByteView(id)).step());
  if (!there) return failed(unknown("key slot " + to_hex(id)));
  return failed(Code::denied, "key slot " + to_hex(id), "is the last one of its repository",
                "add another first: without one nobody can read the backups");
}

}  // namespace cb::catalog
