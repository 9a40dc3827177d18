// SPDX-License-Identifier: Apache-2.0
//
// The SQL that looks blobs up. Many look-ups share one read transaction.
#include <algorithm>

#include "core/catalog/sqlite_index.h"

namespace cb::catalog {
namespace {

// What is looked up, of one domain and of any. The open domain is looked at first, then the
// view's own. (An IN list would be built anew for each look-up.)
struct LookUp {
  const char* of_domain;
  const char* of_any;
  const char* of_condemned = nullptr;  // the last resort of who wants any; none: there is none
};

#define CB_HAVE "SELECT 1 FROM blob WHERE repository = ? AND id = ?"
#define CB_PLACE_COLUMNS \
  "SELECT b.id, b.owner, b.kind, length(b.children), b.session, b.size, p.name, b.offset"
#define CB_SELECT_PLACE CB_PLACE_COLUMNS " FROM blob b JOIN pack p ON p.number = b.pack"
#define CB_PLACE CB_SELECT_PLACE " WHERE b.repository = ? AND b.id = ?"
#define CB_LINK                                            \
  "SELECT number, owner, kind, closed, children FROM blob" \
  " WHERE repository = ? AND id = ? AND kind NOT IN (2, 3)"

constexpr LookUp kHave = {
    CB_HAVE " AND owner = ? AND condemned = 0",
    CB_HAVE " AND owner < 0 AND condemned = 0 ORDER BY owner DESC LIMIT 1",
};
constexpr LookUp kHaveStrong = {
    CB_HAVE " AND owner = ? AND condemned = 0 AND kind NOT IN (2, 3)",
    CB_HAVE " AND owner < 0 AND condemned = 0 AND kind NOT IN (2, 3) ORDER BY owner DESC LIMIT 1",
};
constexpr LookUp kPlace = {
    CB_PLACE " AND b.owner = ? AND b.condemned = 0",
    CB_PLACE " AND b.owner < 0 AND b.condemned = 0 ORDER BY b.owner DESC LIMIT 1",
    CB_PLACE " AND b.owner < 0 AND b.condemned = 1 ORDER BY b.owner = ? DESC, b.owner DESC LIMIT 1",
};
constexpr LookUp kLink = {
    CB_LINK " AND owner = ? AND condemned = 0",
    CB_LINK " AND owner < 0 AND condemned = 0 ORDER BY owner DESC LIMIT 1",
};
constexpr const char* kBlobsOfPack = CB_PLACE_COLUMNS
    ", b.condemned_ns FROM blob b JOIN pack p ON p.number = b.pack"
    " WHERE b.pack = ? ORDER BY b.offset";

Result<BlobPlace> read_place(const Statement& row, const Connection& connection) {
  BlobPlace place;
  CB_ASSIGN(place.id, fixed_bytes<32>(row, 0, connection));
  place.domain = row.integer(1);
  place.kind = static_cast<uint8_t>(row.integer(2));
  place.child_count = static_cast<uint32_t>(row.integer(3) / 32);
  CB_ASSIGN(place.session, fixed_bytes<16>(row, 4, connection));
  place.size = static_cast<uint32_t>(row.integer(5));
  CB_ASSIGN(place.pack, fixed_bytes<16>(row, 6, connection));
  place.offset = static_cast<uint64_t>(row.integer(7));
  return place;
}

// Calls `found(row)` for the row of one domain; false when there is none.
template <typename Found>
Result<bool> find_in(Connection& connection, const char* sql, int64_t repository, int64_t domain,
                     ByteView id, const Found& found) {
  CB_ASSIGN(Statement select, connection.prepare(sql));
  CB_ASSIGN(const bool row, select.bind(repository).bind(id).bind(domain).step());
  if (row) CB_TRY(found(select));
  return row;
}

template <typename Found>
Result<bool> find_any(Connection& connection, const char* sql, int64_t repository, ByteView id,
                      const Found& found) {
  CB_ASSIGN(Statement select, connection.prepare(sql));
  CB_ASSIGN(const bool row, select.bind(repository).bind(id).step());
  if (row) CB_TRY(found(select));
  return row;
}

// Calls `found(row)` for the first row of this key that the view has, if any.
template <typename Found>
Status find_for(Connection& connection, const LookUp& sql, int64_t repository, const View& view,
                ByteView id, const Found& found) {
  CB_ASSIGN(const bool is_open,
            find_in(connection, sql.of_domain, repository, kOpenDomain, id, found));
  if (is_open) return {};
  if (view.domain != kOpenDomain) {
    CB_ASSIGN(const bool is_own,
              find_in(connection, sql.of_domain, repository, view.domain, id, found));
    if (is_own) return {};
  }
  if (!view.any) return {};
  CB_ASSIGN(const bool is_foreign, find_any(connection, sql.of_any, repository, id, found));
  if (is_foreign || sql.of_condemned == nullptr) return {};
  CB_TRY(find_in(connection, sql.of_condemned, repository, view.domain, id, found));
  return {};
}

// Calls `found(index, row)` for each id that is there.
template <typename Found>
Status for_each_found(Guarded& reader, const LookUp& sql, int64_t repository, const View& view,
                      std::span<const Bytes32> ids, const Found& found) {
  const std::lock_guard lock(reader.mutex);
  CB_ASSIGN(const ReadTransaction transaction, ReadTransaction::begin(*reader.connection));
  for (size_t i = 0; i < ids.size(); ++i)
    CB_TRY(find_for(*reader.connection, sql, repository, view, ids[i],
                    [&](const Statement& row) { return found(i, row); }));
  return {};
}

}  // namespace

Result<std::vector<bool>> SqliteIndex::have(int64_t repository, const View& view,
                                            std::span<const Bytes32> ids, bool with_weak) {
  std::vector<bool> there(ids.size(), false);
  CB_TRY(for_each_found(reader_, with_weak ? kHave : kHaveStrong, repository, view, ids,
                        [&](size_t i, const Statement&) -> Status {
                          there[i] = true;
                          return {};
                        }));
  return there;
}

Result<std::vector<BlobPlace>> SqliteIndex::places(int64_t repository, const View& view,
                                                   std::span<const Bytes32> ids) {
  std::vector<BlobPlace> places;
  CB_TRY(for_each_found(reader_, kPlace, repository, view, ids,
                        [&](size_t, const Statement& row) -> Status {
                          CB_ASSIGN(places.emplace_back(), read_place(row, *reader_.connection));
                          return {};
                        }));
  return places;
}

Result<std::vector<BlobPlace>> SqliteIndex::places_in(int64_t repository, int64_t domain,
                                                      std::span<const Bytes32> ids) {
  const std::lock_guard lock(reader_.mutex);
  Connection& connection = *reader_.connection;
  CB_ASSIGN(const ReadTransaction transaction, ReadTransaction::begin(connection));
  std::vector<BlobPlace> places;
  for (const Bytes32& id : ids)
    CB_TRY(find_in(connection, kPlace.of_domain, repository, domain, id,
                   [&](const Statement& row) -> Status {
                     CB_ASSIGN(places.emplace_back(), read_place(row, connection));
                     return {};
                   }));
  return places;
}

Result<std::vector<std::optional<BlobLink>>> SqliteIndex::links(int64_t repository,
                                                                const View& view,
                                                                std::span<const Bytes32> ids) {
  std::vector<std::optional<BlobLink>> links(ids.size());
  CB_TRY(for_each_found(reader_, kLink, repository, view, ids,
                        [&](size_t i, const Statement& row) -> Status {
                          BlobLink& link = links[i].emplace();
                          link.number = row.integer(0);
                          link.domain = row.integer(1);
                          link.kind = static_cast<uint8_t>(row.integer(2));
                          link.closed = row.integer(3) != 0;
                          link.children = to_bytes(row.blob(4));
                          return {};
                        }));
  return links;
}

Result<std::vector<BlobPlace>> SqliteIndex::blobs_of_pack(int64_t pack) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kBlobsOfPack));
  select.bind(pack);
  std::vector<BlobPlace> places;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return places;
    BlobPlace& place = places.emplace_back();
    CB_ASSIGN(place, read_place(select, *reader_.connection));
    place.is_dead = select.integer(8) > 0;
  }
}

}  // namespace cb::catalog
