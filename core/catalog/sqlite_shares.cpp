// SPDX-License-Identifier: Apache-2.0
//
// The SQL of whom stored bytes count for.
#include "core/catalog/sqlite_shares.h"

#include <algorithm>
#include <vector>

#include "core/catalog/guarded.h"

namespace cb::catalog {
namespace {

constexpr const char* kAddShare =
    "INSERT INTO pack_share (pack, device, repository, bytes) VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes";
constexpr const char* kSharesOf = "SELECT device, bytes FROM pack_share WHERE pack = ?";
constexpr const char* kTakeShare =
    "UPDATE pack_share SET bytes = bytes - ? WHERE pack = ? AND device = ?";
constexpr const char* kCountRecord =
    "INSERT INTO stored_usage (repository, device, pack_bytes, record_bytes, growth)"
    " VALUES (?1, ?2, 0, ?3, ?4) ON CONFLICT DO UPDATE SET"
    " record_bytes = record_bytes + excluded.record_bytes,"
    " growth = CASE WHEN excluded.growth > 0 THEN excluded.growth ELSE growth END";

struct Share {
  Bytes16 device{};
  uint64_t bytes = 0;
};

Result<std::vector<Share>> shares_of(Connection& connection, int64_t pack) {
  CB_ASSIGN(Statement select, connection.prepare(kSharesOf));
  select.bind(pack);
  std::vector<Share> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    Share& share = all.emplace_back();
    CB_ASSIGN(share.device, fixed_bytes<16>(select, 0, connection));
    share.bytes = static_cast<uint64_t>(select.integer(1));
  }
}

// a * b / c without overflow, rounded down or one off; c is not 0.
uint64_t part_of(uint64_t a, uint64_t b, uint64_t c) {
  return static_cast<uint64_t>(static_cast<double>(a) * static_cast<double>(b) /
                               static_cast<double>(c));
}

}  // namespace

Status add_share(Connection& connection, int64_t repository, int64_t pack, const Bytes16& device,
                 uint64_t bytes) {
  CB_ASSIGN(Statement add, connection.prepare(kAddShare));
  add.bind(pack).bind(ByteView(device)).bind(repository);
  return add.bind(static_cast<int64_t>(bytes)).run();
}

Status move_shares(Connection& connection, int64_t repository, int64_t pack, uint64_t size,
                   const std::map<int64_t, uint64_t>& from) {
  uint64_t moved = 0;
  for (const auto& [source, bytes] : from) moved += bytes;
  if (moved == 0) return {};
  for (const auto& [source, bytes] : from) {
    CB_ASSIGN(const std::vector<Share> shares, shares_of(connection, source));
    uint64_t sum = 0;
    for (const Share& share : shares) sum += share.bytes;
    if (sum == 0) continue;
    const uint64_t wanted = std::min(sum, part_of(size, bytes, moved));
    for (const Share& share : shares) {
      const uint64_t taken = std::min(share.bytes, part_of(wanted, share.bytes, sum));
      CB_ASSIGN(Statement take, connection.prepare(kTakeShare));
      take.bind(static_cast<int64_t>(taken)).bind(source);
      CB_TRY(take.bind(ByteView(share.device)).run());
      CB_TRY(add_share(connection, repository, pack, share.device, taken));
    }
  }
  return {};
}

Status count_commit(Connection& connection, int64_t repository, const CommitRow& commit,
                    uint64_t growth) {
  CB_ASSIGN(Statement count, connection.prepare(kCountRecord));
  count.bind(repository).bind(ByteView(commit.device));
  count.bind(static_cast<int64_t>(commit.record.size()));
  return count.bind(static_cast<int64_t>(growth)).run();
}

}  // namespace cb::catalog
