// SPDX-License-Identifier: Apache-2.0
//
// The SQL of collection and compaction.
#include "core/catalog/sqlite_collection.h"

#include <map>

#include "core/catalog/sqlite_shares.h"

namespace cb::catalog {
namespace {

constexpr const char* kPacks =
    "SELECT number, owner, name, class, size, created_ns, retired_ns, is_bad FROM pack"
    " WHERE repository = ? AND number > ? ORDER BY number LIMIT ?";
constexpr const char* kRowsIn =
    "SELECT number, id, owner, kind, condemned, condemned_ns, closed, session, offset, size,"
    " length(children) FROM blob WHERE pack = ? ORDER BY offset";
// length() does not read what a long list of children overflows into.
constexpr const char* kRowsOf =
    "SELECT number, pack, session, length(children), kind IN (2, 3) FROM blob"
    " WHERE repository = ? AND id = ?";
constexpr const char* kReadPack =
    "SELECT number, pack, session, length(children), kind IN (2, 3), children FROM blob"
    " WHERE pack = ?";
constexpr const char* kChildren = "SELECT children FROM blob WHERE number = ?";
constexpr const char* kUnclose =
    "UPDATE blob SET closed = 0 WHERE number = ? AND children <> x'' AND closed = 1";
constexpr const char* kCondemnDead =
    "UPDATE blob SET condemned = 1, condemned_ns = ?"
    " WHERE number = ? AND pack = ? AND owner <= 0 AND condemned_ns = 0";
constexpr const char* kSomeWanted = "SELECT 1 FROM wanted LIMIT 1";
constexpr const char* kNotWanted =
    "DELETE FROM wanted WHERE (repository, id, domain) ="
    " (SELECT repository, id, owner FROM blob WHERE number = ?)";
constexpr const char* kIsDue =
    "SELECT size FROM blob WHERE number = ? AND pack = ? AND condemned = 1 AND condemned_ns > 0"
    " AND condemned_ns <= ?";
constexpr const char* kSweep = "DELETE FROM blob WHERE number = ?";
constexpr const char* kCountPack =
    "UPDATE pack SET blobs = blobs + ?, garbage = garbage + ? WHERE number = ?";
constexpr const char* kRetire =
    "UPDATE pack SET retired_ns = ?1 WHERE number = ?2 AND owner = 0 AND retired_ns = 0"
    " AND NOT EXISTS (SELECT 1 FROM blob WHERE pack = ?2)";
constexpr const char* kRemovePack =
    "DELETE FROM pack WHERE number = ?1 AND owner = 0 AND retired_ns > 0 AND retired_ns <= ?2"
    " AND NOT EXISTS (SELECT 1 FROM blob WHERE pack = ?1)";
constexpr const char* kAddPack =
    "INSERT INTO pack (repository, owner, name, class, size, digest, created_ns, blobs, garbage)"
    " VALUES (?, 0, ?, ?, ?, ?, ?, 0, 0) RETURNING number";
constexpr const char* kMove =
    "UPDATE blob SET pack = ?, offset = ? WHERE number = ? AND id = ? AND owner = ? AND pack = ?"
    " AND offset = ? AND size = ? AND condemned = 0";

Result<MarkedRow> read_marked(const Statement& select, const Connection& connection) {
  MarkedRow row;
  row.number = select.integer(0);
  row.pack = select.integer(1);
  CB_ASSIGN(row.session, fixed_bytes<16>(select, 2, connection));
  row.is_weak = select.integer(4) != 0;
  row.has_children = select.integer(3) > 0 && !row.is_weak;
  return row;
}

Result<HeldBlob> read_blob(const Statement& row, const Connection& connection) {
  HeldBlob blob;
  blob.number = row.integer(0);
  CB_ASSIGN(blob.id, fixed_bytes<32>(row, 1, connection));
  blob.domain = row.integer(2);
  blob.kind = static_cast<uint8_t>(row.integer(3));
  blob.condemned = row.integer(4) != 0;
  blob.condemned_ns = row.integer(5);
  blob.closed = row.integer(6) != 0;
  CB_ASSIGN(blob.session, fixed_bytes<16>(row, 7, connection));
  blob.offset = static_cast<uint64_t>(row.integer(8));
  blob.size = static_cast<uint32_t>(row.integer(9));
  blob.child_count = static_cast<uint32_t>(row.integer(10) / static_cast<int64_t>(sizeof(Bytes32)));
  return blob;
}

Status count_in(Connection& connection, int64_t pack, int64_t blobs, int64_t garbage) {
  CB_ASSIGN(Statement count, connection.prepare(kCountPack));
  return count.bind(blobs).bind(garbage).bind(pack).run();
}

// Rows that leave their packs.
class Gone {
 public:
  void add(int64_t pack, uint32_t size) {
    auto& [blobs, bytes] = of_packs_[pack];
    ++blobs;
    bytes += size;
  }

  Status count(Connection& connection) const {
    for (const auto& [pack, what] : of_packs_)
      CB_TRY(count_in(connection, pack, -what.first, what.second));
    return {};
  }

  // Of each pack.
  [[nodiscard]] std::map<int64_t, uint64_t> bytes() const {
    std::map<int64_t, uint64_t> all;
    for (const auto& [pack, what] : of_packs_) all[pack] = static_cast<uint64_t>(what.second);
    return all;
  }

 private:
  std::map<int64_t, std::pair<int64_t, int64_t>> of_packs_;
};

// The stored bytes of a row that may go; nothing when it may not.
Result<std::optional<uint32_t>> size_of_due(Connection& connection, const DeadRow& row,
                                            int64_t until_ns) {
  CB_ASSIGN(Statement select, connection.prepare(kIsDue));
  CB_ASSIGN(const bool due, select.bind(row.number).bind(row.pack).bind(until_ns).step());
  if (!due) return std::nullopt;
  return static_cast<uint32_t>(select.integer(0));
}

Status run_with(Connection& connection, const char* sql, int64_t number) {
  CB_ASSIGN(Statement statement, connection.prepare(sql));
  return statement.bind(number).run();
}

Result<int64_t> insert_pack(Connection& connection, int64_t repository, const PackRow& pack) {
  CB_ASSIGN(Statement insert, connection.prepare(kAddPack));
  insert.bind(repository).bind(ByteView(pack.name)).bind(static_cast<int64_t>(pack.pack_class));
  insert.bind(static_cast<int64_t>(pack.size)).bind(ByteView(pack.digest)).bind(pack.created_ns);
  CB_ASSIGN(const bool row, insert.step());
  const int64_t number = row ? insert.integer(0) : 0;
  CB_TRY(insert.run());
  return number;
}

Result<bool> move_one(Connection& connection, const BlobMove& move, int64_t pack) {
  CB_ASSIGN(Statement update, connection.prepare(kMove));
  update.bind(pack).bind(static_cast<int64_t>(move.new_offset)).bind(move.blob.number);
  update.bind(ByteView(move.blob.id)).bind(move.blob.domain).bind(move.pack);
  update.bind(static_cast<int64_t>(move.blob.offset)).bind(static_cast<int64_t>(move.blob.size));
  CB_TRY(update.run());
  return connection.changes() == 1;
}

Status unclose_rows(Connection& connection, std::span<const int64_t> numbers) {
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  for (const int64_t number : numbers) CB_TRY(run_with(connection, kUnclose, number));
  return transaction.commit();
}

}  // namespace

Result<std::vector<HeldPack>> SqliteCollection::packs(int64_t repository, int64_t after,
                                                      size_t most) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kPacks));
  select.bind(repository).bind(after).bind(static_cast<int64_t>(most));
  std::vector<HeldPack> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    HeldPack& pack = all.emplace_back();
    pack.number = select.integer(0);
    pack.owner = select.integer(1);
    CB_ASSIGN(pack.name, fixed_bytes<16>(select, 2, *reader_.connection));
    pack.pack_class = static_cast<uint8_t>(select.integer(3));
    pack.size = static_cast<uint64_t>(select.integer(4));
    pack.created_ns = select.integer(5);
    pack.retired_ns = select.integer(6);
    pack.is_bad = select.integer(7) != 0;
  }
}

Result<std::vector<HeldBlob>> SqliteCollection::rows_in(int64_t pack) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kRowsIn));
  select.bind(pack);
  std::vector<HeldBlob> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    CB_ASSIGN(all.emplace_back(), read_blob(select, *reader_.connection));
  }
}

Result<std::vector<Bytes32>> SqliteCollection::rows_of(int64_t repository,
                                                       std::span<const Bytes32> ids,
                                                       const TakeRow& take) {
  const std::lock_guard lock(reader_.mutex);
  Connection& connection = *reader_.connection;
  CB_ASSIGN(const ReadTransaction transaction, ReadTransaction::begin(connection));
  std::vector<Bytes32> without;
  for (const Bytes32& id : ids) {
    CB_ASSIGN(Statement select, connection.prepare(kRowsOf));
    select.bind(repository).bind(ByteView(id));
    for (bool is_first = true;; is_first = false) {
      CB_ASSIGN(const bool there, select.step());
      if (!there && is_first) without.push_back(id);
      if (!there) break;
      CB_ASSIGN(const MarkedRow row, read_marked(select, connection));
      take(row);
    }
  }
  return without;
}

Status SqliteCollection::children_of(std::span<const int64_t> rows, const TakeChildren& take) {
  const std::lock_guard lock(reader_.mutex);
  Connection& connection = *reader_.connection;
  CB_ASSIGN(const ReadTransaction transaction, ReadTransaction::begin(connection));
  for (const int64_t row : rows) {
    CB_ASSIGN(Statement select, connection.prepare(kChildren));
    CB_ASSIGN(const bool there, select.bind(row).step());
    if (there) take(select.blob(0));
  }
  return {};
}

Status SqliteCollection::read_pack(int64_t pack, const TakeRow& take, const TakeChildren& below) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kReadPack));
  select.bind(pack);
  for (;;) {
    CB_ASSIGN(const bool there, select.step());
    if (!there) return {};
    CB_ASSIGN(const MarkedRow row, read_marked(select, *reader_.connection));
    take(row);
    if (row.has_children) below(select.blob(5));
  }
}

Status SqliteCollection::unclose(std::span<const int64_t> numbers) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  return make_unhurried(connection, [&] { return unclose_rows(connection, numbers); });
}

Result<uint64_t> SqliteCollection::condemn_dead(std::span<const DeadRow> rows, int64_t now_ns) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  uint64_t condemned = 0;
  for (const DeadRow& row : rows) {
    CB_ASSIGN(Statement update, connection.prepare(kCondemnDead));
    CB_TRY(update.bind(now_ns).bind(row.number).bind(row.pack).run());
    condemned += static_cast<uint64_t>(connection.changes());
  }
  CB_TRY(transaction.commit());
  return condemned;
}

Result<std::vector<uint32_t>> SqliteCollection::sweep(std::span<const DeadRow> rows,
                                                      int64_t condemned_until_ns) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  CB_ASSIGN(const int64_t some_wanted, connection.integer(kSomeWanted));
  std::vector<uint32_t> sizes;
  Gone gone;
  for (const DeadRow& row : rows) {
    CB_ASSIGN(const auto size, size_of_due(connection, row, condemned_until_ns));
    if (!size) continue;
    if (some_wanted != 0) CB_TRY(run_with(connection, kNotWanted, row.number));
    CB_TRY(run_with(connection, kSweep, row.number));
    sizes.push_back(*size);
    gone.add(row.pack, *size);
  }
  CB_TRY(gone.count(connection));
  CB_TRY(transaction.commit());
  return sizes;
}

Result<bool> SqliteCollection::retire(int64_t pack, int64_t now_ns) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement update, writer_.connection->prepare(kRetire));
  CB_TRY(update.bind(now_ns).bind(pack).run());
  return writer_.connection->changes() == 1;
}

Result<bool> SqliteCollection::remove_pack(int64_t pack, int64_t retired_until_ns) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement remove, writer_.connection->prepare(kRemovePack));
  CB_TRY(remove.bind(pack).bind(retired_until_ns).run());
  return writer_.connection->changes() == 1;
}

Result<uint64_t> SqliteCollection::move_blobs(int64_t repository, const PackRow& pack,
                                              std::span<const BlobMove> moves) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  CB_ASSIGN(const int64_t number, insert_pack(connection, repository, pack));
  int64_t moved = 0;
  int64_t garbage = 0;
  Gone gone;
  for (const BlobMove& move : moves) {
    CB_ASSIGN(const bool came, move_one(connection, move, number));
    moved += came ? 1 : 0;
    if (came) gone.add(move.pack, move.blob.size);
    if (!came) garbage += move.blob.size;
  }
  CB_TRY(gone.count(connection));
  CB_TRY(count_in(connection, number, moved, garbage));
  CB_TRY(move_shares(connection, repository, number, pack.size, gone.bytes()));
  CB_TRY(transaction.commit());
  return static_cast<uint64_t>(moved);
}

}  // namespace cb::catalog
