// SPDX-License-Identifier: Apache-2.0
//
// The SQL of intakes and packs.
#include "core/catalog/sqlite_index.h"

#include "core/catalog/sqlite_shares.h"

namespace cb::catalog {
namespace {

#define CB_PACK_COLUMNS "number, owner, name, class, size, digest, created_ns, blobs, garbage"

constexpr const char* kNewIntake = "INSERT INTO intake (repository) VALUES (?) RETURNING number";
constexpr const char* kMarkIntake = "UPDATE intake SET commit_id = ? WHERE number = ?";
constexpr const char* kOpenIntakes = "SELECT number FROM intake WHERE repository = ?";
constexpr const char* kDropBlobs = "DELETE FROM blob WHERE owner = ? AND owner <> 0";
constexpr const char* kDropSessions =
    "DELETE FROM session WHERE owner = ?1 AND owner <> 0"
    " AND repository = (SELECT repository FROM intake WHERE number = ?1)";
constexpr const char* kDropPacks = "DELETE FROM pack WHERE owner = ? AND owner <> 0 RETURNING name";
constexpr const char* kDropIntake = "DELETE FROM intake WHERE number = ?";
constexpr const char* kAddPack =
    "INSERT INTO pack (repository, owner, name, class, size, digest, created_ns, blobs, garbage)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0) RETURNING number";
constexpr const char* kAddSession =
    "INSERT OR IGNORE INTO session (repository, id, owner, record) VALUES (?, ?, ?, ?)";
constexpr const char* kAddBlob =
    "INSERT INTO blob (repository, id, owner, kind, condemned, closed, session, pack, offset, size,"
    " children) VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
// The row that a blob (?4: is it weak?) takes the place of.
constexpr const char* kReplaced =
    "SELECT number, pack, size FROM blob WHERE repository = ?1 AND id = ?2 AND owner = ?3"
    " AND CASE WHEN ?4 THEN condemned = 1 AND kind IN (2, 3)"
    " ELSE condemned = 1 OR kind IN (2, 3) END";
constexpr const char* kRevive =
    "UPDATE blob SET condemned = 0, condemned_ns = 0, kind = ?, closed = ?, session = ?, pack = ?,"
    " offset = ?, size = ?, children = ? WHERE number = ?";
constexpr const char* kCountPack =
    "UPDATE pack SET blobs = blobs + ?, garbage = garbage + ? WHERE number = ?";
constexpr const char* kCounts =
    "SELECT coalesce(sum(blobs), 0), count(*), coalesce(sum(size), 0),"
    " (SELECT count(*) FROM snapshot WHERE repository = ?1)"
    " FROM pack WHERE repository = ?1 AND owner = 0";
constexpr const char* kPacks = "SELECT " CB_PACK_COLUMNS
                               " FROM pack"
                               " WHERE repository = ? AND number > ? ORDER BY number LIMIT ?";
constexpr const char* kKnowsPack = "SELECT 1 FROM pack WHERE repository = ? AND name = ?";

// Runs a statement with one integer to bind.
Status run_for(Connection& connection, const char* sql, int64_t number) {
  CB_ASSIGN(Statement statement, connection.prepare(sql));
  return statement.bind(number).run();
}

// A pack that is being added: its rows and what they sum up to.
class PackRows {
 public:
  PackRows(Connection& connection, int64_t repository, int64_t domain, int64_t pack)
      : connection_(connection), repository_(repository), domain_(domain), pack_(pack) {}

  Status add(const BlobRow& blob) {
    {
      CB_ASSIGN(Statement insert, connection_.prepare(kAddBlob));
      insert.bind(repository_).bind(ByteView(blob.id)).bind(domain_);
      insert.bind(static_cast<int64_t>(blob.kind)).bind(blob.children.empty() ? 1 : 0);
      insert.bind(ByteView(blob.session)).bind(pack_);
      insert.bind(static_cast<int64_t>(blob.offset)).bind(static_cast<int64_t>(blob.size));
      CB_TRY(insert.bind(ByteView(blob.children)).run());
    }
    if (connection_.changes() == 1) {
      ++blobs_;
      return {};
    }
    return add_again(blob);
  }

  Status count() { return count_in(pack_, blobs_, garbage_); }

 private:
  Status count_in(int64_t pack, int64_t blobs, int64_t garbage) {
    CB_ASSIGN(Statement count, connection_.prepare(kCountPack));
    return count.bind(blobs).bind(garbage).bind(pack).run();
  }

  static bool is_weak(const BlobRow& blob) { return blob.kind == 2 || blob.kind == 3; }

  Status add_again(const BlobRow& blob) {
    int64_t number = 0;
    int64_t old_pack = 0;
    int64_t old_size = 0;
    {
      CB_ASSIGN(Statement find, connection_.prepare(kReplaced));
      find.bind(repository_).bind(ByteView(blob.id)).bind(domain_).bind(is_weak(blob) ? 1 : 0);
      CB_ASSIGN(const bool is_replaced, find.step());
      if (!is_replaced) {
        constexpr uint8_t kSessionKind = 6;  // repeated in each pack on purpose
        if (blob.kind != kSessionKind) garbage_ += blob.size;
        return {};
      }
      number = find.integer(0);
      old_pack = find.integer(1);
      old_size = find.integer(2);
    }
    CB_TRY(count_in(old_pack, -1, old_size));
    ++blobs_;
    CB_ASSIGN(Statement revive, connection_.prepare(kRevive));
    revive.bind(static_cast<int64_t>(blob.kind)).bind(blob.children.empty() ? 1 : 0);
    revive.bind(ByteView(blob.session)).bind(pack_);
    revive.bind(static_cast<int64_t>(blob.offset)).bind(static_cast<int64_t>(blob.size));
    return revive.bind(ByteView(blob.children)).bind(number).run();
  }

  Connection& connection_;
  int64_t repository_;
  int64_t domain_;
  int64_t pack_;
  int64_t blobs_ = 0;
  int64_t garbage_ = 0;
};

Result<int64_t> insert_pack(Connection& connection, int64_t repository, const PackRow& pack) {
  CB_ASSIGN(Statement insert, connection.prepare(kAddPack));
  insert.bind(repository).bind(pack.owner).bind(ByteView(pack.name));
  insert.bind(static_cast<int64_t>(pack.pack_class)).bind(static_cast<int64_t>(pack.size));
  CB_ASSIGN(const bool row, insert.bind(ByteView(pack.digest)).bind(pack.created_ns).step());
  const int64_t number = row ? insert.integer(0) : 0;
  CB_TRY(insert.run());
  return number;
}

Result<PackRow> read_pack(const Statement& row, const Connection& connection) {
  PackRow pack;
  pack.number = row.integer(0);
  pack.owner = row.integer(1);
  CB_ASSIGN(pack.name, fixed_bytes<16>(row, 2, connection));
  pack.pack_class = static_cast<uint8_t>(row.integer(3));
  pack.size = static_cast<uint64_t>(row.integer(4));
  CB_ASSIGN(pack.digest, fixed_bytes<16>(row, 5, connection));
  pack.created_ns = row.integer(6);
  pack.blobs = static_cast<uint64_t>(row.integer(7));
  pack.garbage = static_cast<uint64_t>(row.integer(8));
  return pack;
}

}  // namespace

Result<int64_t> SqliteIndex::new_intake(int64_t repository) {
  const std::lock_guard lock(writer_.mutex);
  return make_unhurried(*writer_.connection, [&]() -> Result<int64_t> {
    CB_ASSIGN(Statement insert, writer_.connection->prepare(kNewIntake));
    CB_TRY(insert.bind(repository).step());
    const int64_t number = insert.integer(0);
    CB_TRY(insert.run());
    return number;
  });
}

Status SqliteIndex::mark_intake(int64_t owner, const Bytes16& commit_id) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement mark, writer_.connection->prepare(kMarkIntake));
  return mark.bind(ByteView(commit_id)).bind(owner).run();
}

Result<std::vector<int64_t>> SqliteIndex::open_intakes(int64_t repository) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kOpenIntakes));
  select.bind(repository);
  std::vector<int64_t> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    all.push_back(select.integer(0));
  }
}

namespace {

Result<std::vector<Bytes16>> drop_rows(Connection& connection, int64_t owner) {
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  CB_TRY(run_for(connection, kDropBlobs, owner));
  CB_TRY(run_for(connection, kDropSessions, owner));
  std::vector<Bytes16> packs;
  {
    CB_ASSIGN(Statement drop, connection.prepare(kDropPacks));
    drop.bind(owner);
    for (;;) {
      CB_ASSIGN(const bool row, drop.step());
      if (!row) break;
      CB_ASSIGN(const Bytes16 name, fixed_bytes<16>(drop, 0, connection));
      packs.push_back(name);
    }
  }
  CB_TRY(run_for(connection, kDropIntake, owner));
  CB_TRY(transaction.commit());
  return packs;
}

Status add_rows(Connection& connection, int64_t repository, const PackRow& pack,
                std::span<const BlobRow> blobs, std::span<const SessionRow> sessions) {
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  CB_ASSIGN(const int64_t number, insert_pack(connection, repository, pack));
  CB_TRY(add_share(connection, repository, number, pack.device, pack.size));
  for (const SessionRow& session : sessions) {
    CB_ASSIGN(Statement insert, connection.prepare(kAddSession));
    insert.bind(repository).bind(ByteView(session.id)).bind(pack.owner);
    CB_TRY(insert.bind(ByteView(session.record)).run());
  }
  const int64_t domain = pack.owner != 0 ? pack.owner : pack.domain;
  PackRows rows(connection, repository, domain, number);
  for (const BlobRow& blob : blobs) CB_TRY(rows.add(blob));
  CB_TRY(rows.count());
  return transaction.commit();
}

}  // namespace

Result<std::vector<Bytes16>> SqliteIndex::drop_intake(int64_t owner) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  return make_unhurried(connection, [&] { return drop_rows(connection, owner); });
}

Status SqliteIndex::add_pack(int64_t repository, const PackRow& pack,
                             std::span<const BlobRow> blobs, std::span<const SessionRow> sessions) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  const auto add = [&] { return add_rows(connection, repository, pack, blobs, sessions); };
  return pack.owner == 0 ? add() : make_unhurried(connection, add);
}

Result<IndexCounts> SqliteIndex::counts(int64_t repository) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kCounts));
  CB_TRY(select.bind(repository).step());
  IndexCounts counts;
  counts.blobs = static_cast<uint64_t>(select.integer(0));
  counts.packs = static_cast<uint64_t>(select.integer(1));
  counts.stored_bytes = static_cast<uint64_t>(select.integer(2));
  counts.snapshots = static_cast<uint64_t>(select.integer(3));
  return counts;
}

Result<std::vector<PackRow>> SqliteIndex::packs(int64_t repository, int64_t after, size_t most) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kPacks));
  select.bind(repository).bind(after).bind(static_cast<int64_t>(most));
  std::vector<PackRow> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    CB_ASSIGN(PackRow pack, read_pack(select, *reader_.connection));
    all.push_back(pack);
  }
}

Result<bool> SqliteIndex::knows_pack(int64_t repository, const Bytes16& name) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kKnowsPack));
  return select.bind(repository).bind(ByteView(name)).step();
}

}  // namespace cb::catalog
