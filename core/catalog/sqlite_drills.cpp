// SPDX-License-Identifier: Apache-2.0
//
// The SQL of drills.
#include "core/catalog/sqlite_drills.h"

namespace cb::catalog {
namespace {

constexpr const char* kPut =
    "INSERT INTO drill (repository, device, time_ns, received_ns, failed, passed_ns, record)"
    " VALUES (?1, ?2, ?3, ?4, ?5, CASE ?5 WHEN 0 THEN ?4 ELSE 0 END, ?6)"
    " ON CONFLICT (repository, device) DO UPDATE SET time_ns = excluded.time_ns,"
    " received_ns = excluded.received_ns, failed = excluded.failed, record = excluded.record,"
    " passed_ns = max(passed_ns, excluded.passed_ns) WHERE time_ns < excluded.time_ns";
constexpr const char* kDrills =
    "SELECT device, time_ns, received_ns, failed, passed_ns, record FROM drill"
    " WHERE repository = ? ORDER BY device";
constexpr const char* kMissing = "SELECT since_ns FROM drill_missing WHERE repository = ?";
constexpr const char* kSetMissing =
    "INSERT OR REPLACE INTO drill_missing (repository, since_ns) VALUES (?, ?)";
constexpr const char* kClearMissing = "DELETE FROM drill_missing WHERE repository = ?";

}  // namespace

Status SqliteDrills::put_drill(int64_t repository, const DrillRow& row) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement put, writer_.connection->prepare(kPut));
  put.bind(repository).bind(ByteView(row.device)).bind(row.time_ns).bind(row.received_ns);
  CB_TRY(put.bind(int64_t{row.has_failed ? 1 : 0}).bind(ByteView(row.record)).run());
  if (writer_.connection->changes() == 1) return {};
  return failed(Code::exists, "drill of device " + to_hex(row.device),
                "is not newer than the one that is known here");
}

Result<std::vector<DrillRow>> SqliteDrills::drills(int64_t repository) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kDrills));
  select.bind(repository);
  std::vector<DrillRow> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    DrillRow& one = all.emplace_back();
    CB_ASSIGN(one.device, (fixed_bytes<16>(select, 0, *reader_.connection)));
    one.time_ns = select.integer(1);
    one.received_ns = select.integer(2);
    one.has_failed = select.integer(3) != 0;
    one.passed_ns = select.integer(4);
    one.record = to_bytes(select.blob(5));
  }
}

Result<std::optional<int64_t>> SqliteDrills::missing_since(int64_t repository) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kMissing));
  CB_ASSIGN(const bool row, select.bind(repository).step());
  return row ? std::optional(select.integer(0)) : std::nullopt;
}

Status SqliteDrills::set_missing(int64_t repository, std::optional<int64_t> since_ns) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement change, writer_.connection->prepare(since_ns ? kSetMissing : kClearMissing));
  change.bind(repository);
  if (since_ns) change.bind(*since_ns);
  return change.run();
}

}  // namespace cb::catalog
