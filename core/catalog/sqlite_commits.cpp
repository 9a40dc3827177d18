// SPDX-License-Identifier: Apache-2.0
//
// The SQL of the commit chain and of snapshots.
#include "core/catalog/sqlite_index.h"
#include "core/catalog/sqlite_shares.h"

namespace cb::catalog {
namespace {

#define CB_COMMIT_COLUMNS "sequence, type, snapshot, commit_id, hash, record"

constexpr const char* kAddCommit =
    "INSERT INTO commit_record (repository, " CB_COMMIT_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kAddSnapshot =
    "INSERT OR IGNORE INTO snapshot (repository, id, sequence, in_trash) VALUES (?, ?, ?, 0)";
constexpr const char* kTrash = "UPDATE snapshot SET in_trash = 1 WHERE repository = ? AND id = ?";
constexpr const char* kUntrash = "UPDATE snapshot SET in_trash = 0 WHERE repository = ? AND id = ?";
constexpr const char* kRemoveSnapshot = "DELETE FROM snapshot WHERE repository = ? AND id = ?";
constexpr const char* kClose = "UPDATE blob SET closed = 1 WHERE number = ?";
// What everybody has already stays; a condemned or weak one gives way. "owner <> 0" tells SQLite
// that the partial index on private rows will do, where it would else read every row there is.
constexpr const char* kCountGivenWay =
    "UPDATE pack SET blobs = blobs - gone.many, garbage = garbage + gone.bytes FROM"
    " (SELECT theirs.pack AS pack, count(*) AS many, sum(theirs.size) AS bytes FROM blob mine"
    "  JOIN blob theirs ON theirs.repository = mine.repository AND theirs.id = mine.id"
    "  AND theirs.owner = 0 AND (theirs.condemned = 1 OR theirs.kind IN (2, 3))"
    "  WHERE mine.owner = ?1 AND mine.owner <> 0 GROUP BY theirs.pack) AS gone"
    " WHERE pack.number = gone.pack";
constexpr const char* kGiveWay =
    "DELETE FROM blob WHERE owner = 0 AND (condemned = 1 OR kind IN (2, 3)) AND repository ="
    " (SELECT repository FROM intake WHERE number = ?1)"
    " AND id IN (SELECT id FROM blob WHERE owner = ?1 AND owner <> 0)";
constexpr const char* kPublishBlobs =
    "UPDATE OR IGNORE blob SET owner = 0 WHERE owner = ? AND owner <> 0";
constexpr const char* kCountDoubles =
    "UPDATE pack SET"
    " blobs = blobs - (SELECT count(*) FROM blob WHERE owner = ?1 AND pack = pack.number),"
    " garbage = garbage +"
    " (SELECT coalesce(sum(size), 0) FROM blob WHERE owner = ?1 AND pack = pack.number)"
    " WHERE owner = ?1 AND owner <> 0";
constexpr const char* kDropDoubles = "DELETE FROM blob WHERE owner = ? AND owner <> 0";
constexpr const char* kPublishSessions =
    "UPDATE OR IGNORE session SET owner = 0 WHERE owner = ?1"
    " AND repository = (SELECT repository FROM intake WHERE number = ?1)";
constexpr const char* kDropSessions =
    "DELETE FROM session WHERE owner = ?1"
    " AND repository = (SELECT repository FROM intake WHERE number = ?1)";
constexpr const char* kPublishPacks = "UPDATE pack SET owner = 0 WHERE owner = ? AND owner <> 0";
constexpr const char* kDropIntake = "DELETE FROM intake WHERE number = ?";
constexpr const char* kIntakeOf =
    "SELECT number FROM intake WHERE repository = ? AND commit_id = ?";
constexpr const char* kLast = "SELECT " CB_COMMIT_COLUMNS
                              " FROM commit_record WHERE repository = ?"
                              " ORDER BY sequence DESC LIMIT 1";
constexpr const char* kById =
    "SELECT " CB_COMMIT_COLUMNS " FROM commit_record WHERE repository = ? AND commit_id = ?";
constexpr const char* kOfSnapshot =
    "SELECT " CB_COMMIT_COLUMNS
    " FROM commit_record WHERE repository = ? AND snapshot = ? AND type = ?"
    " ORDER BY sequence DESC LIMIT 1";
constexpr const char* kCommits = "SELECT " CB_COMMIT_COLUMNS
                                 " FROM commit_record WHERE repository = ?"
                                 " AND sequence >= ? ORDER BY sequence LIMIT ?";
constexpr const char* kSnapshots =
    "SELECT c.record, s.in_trash FROM snapshot s JOIN commit_record c"
    " ON c.repository = s.repository AND c.sequence = s.sequence"
    " WHERE s.repository = ? AND s.in_trash <= ? ORDER BY s.sequence";
constexpr const char* kSnapshot =
    "SELECT c.record, s.in_trash FROM snapshot s JOIN commit_record c"
    " ON c.repository = s.repository AND c.sequence = s.sequence"
    " WHERE s.repository = ? AND s.id = ?";

Result<CommitRow> read_commit(const Statement& row, const Connection& connection) {
  CommitRow commit;
  commit.sequence = static_cast<uint64_t>(row.integer(0));
  commit.type = static_cast<uint8_t>(row.integer(1));
  CB_ASSIGN(commit.snapshot, fixed_bytes<32>(row, 2, connection));
  CB_ASSIGN(commit.commit_id, fixed_bytes<16>(row, 3, connection));
  CB_ASSIGN(commit.hash, fixed_bytes<32>(row, 4, connection));
  commit.record = to_bytes(row.blob(5));
  return commit;
}

Result<std::optional<CommitRow>> first_commit(Statement select, const Connection& connection) {
  CB_ASSIGN(const bool row, select.step());
  if (!row) return std::nullopt;
  CB_ASSIGN(CommitRow commit, read_commit(select, connection));
  return commit;
}

Status insert_commit(Connection& connection, int64_t repository, const CommitRow& commit) {
  CB_ASSIGN(Statement insert, connection.prepare(kAddCommit));
  insert.bind(repository).bind(static_cast<int64_t>(commit.sequence));
  insert.bind(static_cast<int64_t>(commit.type)).bind(ByteView(commit.snapshot));
  insert.bind(ByteView(commit.commit_id)).bind(ByteView(commit.hash));
  Status done = insert.bind(ByteView(commit.record)).run();
  if (!done && done.error().code == Code::exists)
    return failed(Code::exists, "commit " + std::to_string(commit.sequence),
                  "is in the catalog already");
  return done;
}

Status change_snapshot(Connection& connection, int64_t repository, const CommitRow& commit) {
  const char* sql = kRemoveSnapshot;
  if (commit.type == 1) sql = kAddSnapshot;
  if (commit.type == 2) sql = kTrash;
  if (commit.type == 3) sql = kUntrash;
  CB_ASSIGN(Statement change, connection.prepare(sql));
  change.bind(repository).bind(ByteView(commit.snapshot));
  if (commit.type == 1) change.bind(static_cast<int64_t>(commit.sequence));
  return change.run();
}

// Makes an intake's private rows everybody's.
Status publish(Connection& connection, int64_t owner) {
  for (const char* sql : {kCountGivenWay, kGiveWay, kPublishBlobs, kCountDoubles, kDropDoubles,
                          kPublishSessions, kDropSessions, kPublishPacks, kDropIntake}) {
    CB_ASSIGN(Statement statement, connection.prepare(sql));
    CB_TRY(statement.bind(owner).run());
  }
  return {};
}

// The intake that this commit publishes; 0 for none.
Result<int64_t> intake_of(Connection& connection, int64_t repository, const Bytes16& commit_id) {
  CB_ASSIGN(Statement select, connection.prepare(kIntakeOf));
  CB_ASSIGN(const bool row, select.bind(repository).bind(ByteView(commit_id)).step());
  return row ? select.integer(0) : 0;
}

SnapshotRow read_snapshot(const Statement& row) {
  return {to_bytes(row.blob(0)), row.integer(1) != 0};
}

}  // namespace

namespace {

Status add_rows(Connection& connection, int64_t repository, const CommitRow& commit,
                const CommitEffect& effect) {
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  CB_TRY(insert_commit(connection, repository, commit));
  CB_TRY(count_commit(connection, repository, commit, effect.growth));
  for (const int64_t number : effect.walked) {
    CB_ASSIGN(Statement close, connection.prepare(kClose));
    CB_TRY(close.bind(number).run());
  }
  if (effect.changes_snapshot) CB_TRY(change_snapshot(connection, repository, commit));
  CB_ASSIGN(const int64_t owner, intake_of(connection, repository, commit.commit_id));
  if (owner != 0) CB_TRY(publish(connection, owner));
  return transaction.commit();
}

}  // namespace

Status SqliteIndex::add_commit(int64_t repository, const CommitRow& commit,
                               const CommitEffect& effect) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  const auto add = [&] { return add_rows(connection, repository, commit, effect); };
  return effect.waits ? add() : make_unhurried(connection, add);
}

Result<std::optional<CommitRow>> SqliteIndex::last_commit(int64_t repository) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kLast));
  select.bind(repository);
  return first_commit(std::move(select), *reader_.connection);
}

Result<std::optional<CommitRow>> SqliteIndex::commit_by_id(int64_t repository,
                                                           const Bytes16& commit_id) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kById));
  select.bind(repository).bind(ByteView(commit_id));
  return first_commit(std::move(select), *reader_.connection);
}

Result<std::optional<CommitRow>> SqliteIndex::commit_of(int64_t repository, const Bytes32& snapshot,
                                                        uint8_t type) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kOfSnapshot));
  select.bind(repository).bind(ByteView(snapshot)).bind(static_cast<int64_t>(type));
  return first_commit(std::move(select), *reader_.connection);
}

Result<std::vector<CommitRow>> SqliteIndex::commits(int64_t repository, uint64_t sequence,
                                                    size_t most) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kCommits));
  select.bind(repository).bind(static_cast<int64_t>(sequence)).bind(static_cast<int64_t>(most));
  std::vector<CommitRow> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    CB_ASSIGN(CommitRow commit, read_commit(select, *reader_.connection));
    all.push_back(std::move(commit));
  }
}

Result<std::vector<SnapshotRow>> SqliteIndex::snapshots(int64_t repository, bool with_trash) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kSnapshots));
  select.bind(repository).bind(with_trash ? 1 : 0);
  std::vector<SnapshotRow> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    all.push_back(read_snapshot(select));
  }
}

Result<std::optional<SnapshotRow>> SqliteIndex::snapshot(int64_t repository, const Bytes32& id) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kSnapshot));
  CB_ASSIGN(const bool row, select.bind(repository).bind(ByteView(id)).step());
  if (!row) return std::nullopt;
  return read_snapshot(select);
}

}  // namespace cb::catalog
