// SPDX-License-Identifier: Apache-2.0
//
// The SQL of verification.
#include "core/catalog/sqlite_verification.h"

namespace cb::catalog {
namespace {

#define CB_SELECT_PACK                                                 \
  "SELECT number, name, class, size, digest, verified_ns, is_bad FROM" \
  " pack WHERE repository = ?1 AND owner = 0 AND retired_ns = 0"

constexpr const char* kBadPacks =
    CB_SELECT_PACK " AND is_bad = 1 AND number > ?2 ORDER BY number LIMIT ?3";
constexpr const char* kAllPacks = CB_SELECT_PACK " AND number > ?2 ORDER BY number LIMIT ?3";
constexpr const char* kOldPacks = CB_SELECT_PACK
    " AND is_bad = 0 AND verified_ns < ?2 AND (verified_ns, number) > (?3, ?4)"
    " ORDER BY verified_ns, number LIMIT ?5";
constexpr const char* kDue =
    "SELECT count(*), coalesce(sum(size), 0) FROM pack WHERE repository = ?1 AND owner = 0"
    " AND retired_ns = 0 AND (is_bad = 1 OR verified_ns < ?2)";
constexpr const char* kSetGood = "UPDATE pack SET is_bad = 0, verified_ns = ?2 WHERE number = ?1";
constexpr const char* kSetBad = "UPDATE pack SET is_bad = 1 WHERE number = ?1";
constexpr const char* kBlobs =
    "SELECT b.id, b.kind, b.session, b.offset, b.size, b.children, b.owner, b.condemned,"
    " w.id IS NOT NULL FROM blob b LEFT JOIN wanted w"
    " ON w.repository = b.repository AND w.id = b.id AND w.domain = b.owner"
    " WHERE b.pack = ? ORDER BY b.offset";
constexpr const char* kWant =
    "INSERT INTO wanted (repository, id, domain, kind, since_ns)"
    " SELECT repository, id, owner, kind, ?4 FROM blob"
    " WHERE repository = ?1 AND id = ?2 AND owner = ?3 ON CONFLICT DO NOTHING";
// Is the copy that is wanted still damaged? One that was sent again is condemned no more.
#define CB_STILL_BAD                                                   \
  "EXISTS (SELECT 1 FROM blob b WHERE b.repository = w.repository AND" \
  " b.id = w.id AND b.owner = w.domain AND b.condemned = 1)"
// Has the view no other copy?
#define CB_LACKED                                                          \
  "NOT EXISTS (SELECT 1 FROM blob b WHERE b.repository = w.repository AND" \
  " b.id = w.id AND b.owner IN (0, ?2) AND b.condemned = 0)"
#define CB_WANTED                                                                     \
  "SELECT w.id, max(w.kind), min(w.since_ns) FROM wanted w"                           \
  " WHERE w.repository = ?1 AND w.id > ?4 AND w.kind NOT IN (2, 3) AND " CB_STILL_BAD \
  " AND (?3 OR (w.domain IN (0, ?2) AND " CB_LACKED ")) GROUP BY w.id ORDER BY w.id LIMIT ?5"
constexpr const char* kWanted = CB_WANTED;
constexpr const char* kCountWanted = "SELECT count(*) FROM (" CB_WANTED ")";
constexpr const char* kAbsolve =
    "UPDATE blob SET condemned = 0, condemned_ns = 0 WHERE repository = ?1 AND id = ?2"
    " AND owner = ?3 AND condemned = 1 AND EXISTS (SELECT 1 FROM wanted w"
    " WHERE w.repository = ?1 AND w.id = ?2 AND w.domain = ?3)";
constexpr const char* kDropOne =
    "DELETE FROM wanted WHERE repository = ? AND id = ? AND domain = ?";
constexpr const char* kDropSettled =
    "DELETE FROM wanted AS w WHERE w.repository = ? AND NOT " CB_STILL_BAD;

constexpr int64_t kMostCounted = 100'000;

Statement& bind_view(Statement& select, int64_t repository, const View& view) {
  return select.bind(repository).bind(view.domain).bind(view.any ? 1 : 0);
}

}  // namespace

Result<std::vector<VerifiedPack>> SqliteVerification::read_packs(Statement select) {
  std::vector<VerifiedPack> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    VerifiedPack& pack = all.emplace_back();
    pack.number = select.integer(0);
    CB_ASSIGN(pack.name, fixed_bytes<16>(select, 1, *reader_.connection));
    pack.pack_class = static_cast<uint8_t>(select.integer(2));
    pack.size = static_cast<uint64_t>(select.integer(3));
    CB_ASSIGN(pack.digest, fixed_bytes<16>(select, 4, *reader_.connection));
    pack.verified_ns = select.integer(5);
    pack.is_bad = select.integer(6) != 0;
  }
}

Result<std::vector<VerifiedPack>> SqliteVerification::bad_packs(int64_t repository, int64_t after,
                                                                size_t most) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kBadPacks));
  select.bind(repository).bind(after).bind(static_cast<int64_t>(most));
  return read_packs(std::move(select));
}

Result<std::vector<VerifiedPack>> SqliteVerification::all_packs(int64_t repository, int64_t after,
                                                                size_t most) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kAllPacks));
  select.bind(repository).bind(after).bind(static_cast<int64_t>(most));
  return read_packs(std::move(select));
}

Result<std::vector<VerifiedPack>> SqliteVerification::old_packs(
    int64_t repository, int64_t before_ns, const std::optional<VerifiedPack>& after, size_t most) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kOldPacks));
  select.bind(repository).bind(before_ns);
  select.bind(after ? after->verified_ns : -1).bind(after ? after->number : 0);
  select.bind(static_cast<int64_t>(most));
  return read_packs(std::move(select));
}

Result<DuePacks> SqliteVerification::due(int64_t repository, int64_t before_ns) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kDue));
  CB_TRY(select.bind(repository).bind(before_ns).step());
  return DuePacks{static_cast<uint64_t>(select.integer(0)),
                  static_cast<uint64_t>(select.integer(1))};
}

Status SqliteVerification::set_verified(int64_t pack, bool is_bad, int64_t now_ns) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  return make_unhurried(connection, [&]() -> Status {
    CB_ASSIGN(Statement update, connection.prepare(is_bad ? kSetBad : kSetGood));
    update.bind(pack);
    if (!is_bad) update.bind(now_ns);
    return update.run();
  });
}

Result<std::vector<PackBlob>> SqliteVerification::blobs(int64_t pack) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kBlobs));
  select.bind(pack);
  std::vector<PackBlob> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    PackBlob& one = all.emplace_back();
    CB_ASSIGN(one.blob.id, fixed_bytes<32>(select, 0, *reader_.connection));
    one.blob.kind = static_cast<uint8_t>(select.integer(1));
    CB_ASSIGN(one.blob.session, fixed_bytes<16>(select, 2, *reader_.connection));
    one.blob.offset = static_cast<uint64_t>(select.integer(3));
    one.blob.size = static_cast<uint32_t>(select.integer(4));
    one.blob.children = to_bytes(select.blob(5));
    one.domain = select.integer(6);
    one.is_condemned = select.integer(7) != 0;
    one.is_wanted = select.integer(8) != 0;
  }
}

Status SqliteVerification::want(int64_t repository, int64_t domain, std::span<const Bytes32> ids,
                                int64_t now_ns) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Transaction transaction, Transaction::begin(*writer_.connection));
  for (const Bytes32& id : ids) {
    CB_ASSIGN(Statement insert, writer_.connection->prepare(kWant));
    CB_TRY(insert.bind(repository).bind(ByteView(id)).bind(domain).bind(now_ns).run());
  }
  return transaction.commit();
}

Result<std::vector<WantedBlob>> SqliteVerification::wanted(int64_t repository, const View& view,
                                                           const Bytes32& after, size_t most) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kWanted));
  bind_view(select, repository, view).bind(ByteView(after)).bind(static_cast<int64_t>(most));
  std::vector<WantedBlob> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    WantedBlob& one = all.emplace_back();
    CB_ASSIGN(one.id, fixed_bytes<32>(select, 0, *reader_.connection));
    one.kind = static_cast<uint8_t>(select.integer(1));
    one.since_ns = select.integer(2);
  }
}

Result<uint64_t> SqliteVerification::count_wanted(int64_t repository, const View& view) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kCountWanted));
  const Bytes32 before_all{};
  bind_view(select, repository, view).bind(ByteView(before_all)).bind(kMostCounted);
  CB_TRY(select.step());
  return static_cast<uint64_t>(select.integer(0));
}

Result<uint64_t> SqliteVerification::absolve(int64_t repository, int64_t domain,
                                             std::span<const Bytes32> ids) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  int64_t count = 0;
  for (const Bytes32& id : ids) {
    {
      CB_ASSIGN(Statement update, connection.prepare(kAbsolve));
      CB_TRY(update.bind(repository).bind(ByteView(id)).bind(domain).run());
      count += connection.changes();
    }
    CB_ASSIGN(Statement drop, connection.prepare(kDropOne));
    CB_TRY(drop.bind(repository).bind(ByteView(id)).bind(domain).run());
  }
  CB_TRY(transaction.commit());
  return static_cast<uint64_t>(count);
}

Result<uint64_t> SqliteVerification::drop_settled(int64_t repository) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement drop, writer_.connection->prepare(kDropSettled));
  CB_TRY(drop.bind(repository).run());
  return static_cast<uint64_t>(writer_.connection->changes());
}

}  // namespace cb::catalog
