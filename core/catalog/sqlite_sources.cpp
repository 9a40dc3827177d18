// SPDX-License-Identifier: Apache-2.0
//
// The SQL of sources: wishes, states, history, claims and alarms.
#include "core/catalog/sqlite_sources.h"

#include <algorithm>
#include <array>

namespace cb::catalog {
namespace {

#define CB_STATE_COLUMNS \
  "source, expected_ns, late_ns, basis, overdue_ns, frozen_ns, froze_ns, normal, reason"
#define CB_BACKUP_COLUMNS                                                            \
  "sequence, source, snapshot, time_ns, is_compared, figures, claim, score, is_odd," \
  " reasons"

constexpr const char* kWishes =
    "SELECT source, never, every_ns, tolerance_ns, set_ns, set_by FROM source_wish"
    " WHERE repository = ? ORDER BY source";
constexpr const char* kSetWish =
    "INSERT OR REPLACE INTO source_wish (repository, source, never, every_ns, tolerance_ns, set_ns,"
    " set_by) VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kRemoveWish = "DELETE FROM source_wish WHERE repository = ? AND source = ?";
constexpr const char* kStates =
    "SELECT " CB_STATE_COLUMNS " FROM source_state WHERE repository = ? ORDER BY source";
constexpr const char* kState =
    "SELECT " CB_STATE_COLUMNS " FROM source_state WHERE repository = ? AND source = ?";
constexpr const char* kSetState =
    "INSERT OR REPLACE INTO source_state (repository, " CB_STATE_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
// The key has them in the order of their devices.
constexpr const char* kCount =
    "SELECT count(*) FROM source_state WHERE repository = ?1 AND source >= ?2 AND source < ?3";
constexpr const char* kDropState = "DELETE FROM source_state WHERE repository = ? AND source = ?";
constexpr const char* kDropBackups =
    "DELETE FROM source_backup WHERE repository = ? AND source = ?";
constexpr const char* kLookedAt = "SELECT sequence FROM source_look WHERE repository = ?";
constexpr const char* kSetLookedAt =
    "INSERT OR REPLACE INTO source_look (repository, sequence) VALUES (?, ?)";
constexpr const char* kAddBackup =
    "INSERT OR REPLACE INTO source_backup (repository, " CB_BACKUP_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kForgetOld =
    "DELETE FROM source_backup WHERE repository = ?1 AND source = ?2 AND sequence <="
    " (SELECT sequence FROM source_backup WHERE repository = ?1 AND source = ?2"
    "  ORDER BY sequence DESC LIMIT 1 OFFSET ?3)";
constexpr const char* kBackups =
    "SELECT " CB_BACKUP_COLUMNS
    " FROM source_backup WHERE repository = ? AND source = ? ORDER BY sequence DESC LIMIT ?";
constexpr const char* kTimes =
    "SELECT time_ns FROM source_backup WHERE repository = ? AND source = ? ORDER BY time_ns";
constexpr const char* kPutClaim =
    "INSERT OR REPLACE INTO source_claim (repository, snapshot, claim) VALUES (?, ?, ?)";
constexpr const char* kClaim =
    "SELECT claim FROM source_claim WHERE repository = ? AND snapshot = ?";
constexpr const char* kDropClaim = "DELETE FROM source_claim WHERE repository = ? AND snapshot = ?";
constexpr const char* kIsRaised = "SELECT 1 FROM alarm WHERE name = ?";
constexpr const char* kRaise = "INSERT OR IGNORE INTO alarm (name, since_ns) VALUES (?, ?)";
constexpr const char* kClear = "DELETE FROM alarm WHERE name = ?";

// Longer than any source.
constexpr size_t kLongestSource = 64;

// The numbers of a struct, one after the other, as they lie in a column.
template <typename Figures>
auto numbers_of(Figures& f) {
  return std::array{&f.before_blobs, &f.before_bytes, &f.before_nodes, &f.after_blobs,
                    &f.after_bytes,  &f.after_nodes,  &f.new_blobs,    &f.new_bytes,
                    &f.new_nodes,    &f.gone_blobs,   &f.gone_bytes};
}
template <typename Claim>
auto numbers_of_claim(Claim& c) {
  return std::array{&c.unchanged, &c.changed,     &c.added,       &c.removed,
                    &c.renamed,   &c.plain_bytes, &c.stored_bytes};
}

template <typename Numbers>
Bytes packed(const Numbers& numbers) {
  Bytes bytes(numbers.size() * sizeof(uint64_t));
  for (size_t i = 0; i < numbers.size(); ++i)
    store_le(bytes.data() + i * sizeof(uint64_t), *numbers[i]);
  return bytes;
}

// The table has it that the length is right.
template <typename Numbers>
void unpack(ByteView bytes, const Numbers& numbers) {
  if (bytes.size() != numbers.size() * sizeof(uint64_t)) return;
  for (size_t i = 0; i < numbers.size(); ++i)
    *numbers[i] = load_le<uint64_t>(bytes.data() + i * sizeof(uint64_t));
}

Bytes packed(const SourceClaim& claim) { return packed(numbers_of_claim(claim)); }

SourceClaim claim_of(ByteView bytes) {
  SourceClaim claim;
  unpack(bytes, numbers_of_claim(claim));
  return claim;
}

std::string words(const Statement& row, int column) {
  return std::string(as_text(row.blob(column)));
}

SourceState read_state(const Statement& row) {
  SourceState state;
  state.source = to_bytes(row.blob(0));
  state.expected_ns = row.integer(1);
  state.late_ns = row.integer(2);
  state.basis = words(row, 3);
  state.overdue_ns = row.integer(4);
  state.frozen_ns = row.integer(5);
  state.froze_ns = row.integer(6);
  state.normal = to_bytes(row.blob(7));
  state.reason = words(row, 8);
  return state;
}

Result<SourceBackup> read_backup(const Statement& row, const Connection& connection) {
  SourceBackup backup;
  backup.sequence = static_cast<uint64_t>(row.integer(0));
  backup.source = to_bytes(row.blob(1));
  CB_ASSIGN(backup.snapshot, fixed_bytes<32>(row, 2, connection));
  backup.time_ns = row.integer(3);
  backup.is_compared = row.integer(4) != 0;
  unpack(row.blob(5), numbers_of(backup.figures));
  if (!row.blob(6).empty()) backup.claim = claim_of(row.blob(6));
  backup.score = static_cast<unsigned>(row.integer(7));
  backup.is_odd = row.integer(8) != 0;
  backup.reasons = words(row, 9);
  return backup;
}

Status insert_backup(Connection& connection, int64_t repository, const SourceBackup& backup) {
  CB_ASSIGN(Statement insert, connection.prepare(kAddBackup));
  insert.bind(repository).bind(static_cast<int64_t>(backup.sequence));
  insert.bind(ByteView(backup.source)).bind(ByteView(backup.snapshot)).bind(backup.time_ns);
  insert.bind(int64_t{backup.is_compared}).bind(ByteView(packed(numbers_of(backup.figures))));
  insert.bind(ByteView(backup.claim ? packed(*backup.claim) : Bytes()));
  insert.bind(int64_t{backup.score}).bind(int64_t{backup.is_odd});
  return insert.bind(as_bytes(backup.reasons)).run();
}

Status look_further(Connection& connection, int64_t repository, uint64_t sequence) {
  CB_ASSIGN(Statement set, connection.prepare(kSetLookedAt));
  return set.bind(repository).bind(static_cast<int64_t>(sequence)).run();
}

Status drop_claim(Connection& connection, int64_t repository, const Bytes32& snapshot) {
  CB_ASSIGN(Statement drop, connection.prepare(kDropClaim));
  return drop.bind(repository).bind(ByteView(snapshot)).run();
}

}  // namespace

Result<std::vector<SourceWish>> SqliteSources::wishes(int64_t repository) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kWishes));
  select.bind(repository);
  std::vector<SourceWish> all;
  for (;;) {
    CB_ASSIGN(const bool there, select.step());
    if (!there) return all;
    all.push_back({to_bytes(select.blob(0)), select.integer(1) != 0, select.integer(2),
                   select.integer(3), select.integer(4), words(select, 5)});
  }
}

Status SqliteSources::set_wish(int64_t repository, const SourceWish& wish) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement set, writer_.connection->prepare(kSetWish));
  set.bind(repository).bind(ByteView(wish.source)).bind(int64_t{wish.never}).bind(wish.every_ns);
  return set.bind(wish.tolerance_ns).bind(wish.set_ns).bind(as_bytes(wish.set_by)).run();
}

Status SqliteSources::remove_wish(int64_t repository, ByteView source) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement remove, writer_.connection->prepare(kRemoveWish));
  CB_TRY(remove.bind(repository).bind(source).run());
  if (writer_.connection->changes() > 0) return {};
  return failed(Code::not_found, source.empty() ? "the repository" : "the source",
                "has no expectation of its own");
}

Result<std::vector<SourceState>> SqliteSources::states(int64_t repository) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kStates));
  select.bind(repository);
  std::vector<SourceState> all;
  for (;;) {
    CB_ASSIGN(const bool there, select.step());
    if (!there) return all;
    all.push_back(read_state(select));
  }
}

Result<std::optional<SourceState>> SqliteSources::state(int64_t repository, ByteView source) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kState));
  CB_ASSIGN(const bool there, select.bind(repository).bind(source).step());
  if (!there) return std::nullopt;
  return read_state(select);
}

Status SqliteSources::set_state(int64_t repository, const SourceState& state) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement set, writer_.connection->prepare(kSetState));
  set.bind(repository).bind(ByteView(state.source)).bind(state.expected_ns).bind(state.late_ns);
  set.bind(as_bytes(state.basis)).bind(state.overdue_ns).bind(state.frozen_ns);
  set.bind(state.froze_ns);
  return set.bind(ByteView(state.normal)).bind(as_bytes(state.reason)).run();
}

Result<uint64_t> SqliteSources::count(int64_t repository, ByteView device) {
  // From the device with nothing after it to the device with more after it than a source has.
  Bytes from = to_bytes(device), until = to_bytes(device);
  until.resize(kLongestSource, std::byte{0xff});
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kCount));
  select.bind(repository).bind(ByteView(from)).bind(ByteView(until));
  CB_ASSIGN(const bool there, select.step());
  return there ? static_cast<uint64_t>(select.integer(0)) : uint64_t{0};
}

Status SqliteSources::drop(int64_t repository, ByteView source) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  for (const char* const sql : {kDropState, kDropBackups}) {
    CB_ASSIGN(Statement remove, connection.prepare(sql));
    CB_TRY(remove.bind(repository).bind(source).run());
  }
  return transaction.commit();
}

Result<uint64_t> SqliteSources::looked_at(int64_t repository) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kLookedAt));
  CB_ASSIGN(const bool there, select.bind(repository).step());
  return there ? static_cast<uint64_t>(select.integer(0)) : uint64_t{0};
}

Status SqliteSources::set_looked_at(int64_t repository, uint64_t sequence) {
  const std::lock_guard lock(writer_.mutex);
  return look_further(*writer_.connection, repository, sequence);
}

Status SqliteSources::pass_over(int64_t repository, uint64_t sequence, const Bytes32& snapshot) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  CB_TRY(drop_claim(connection, repository, snapshot));
  CB_TRY(look_further(connection, repository, sequence));
  return transaction.commit();
}

Status SqliteSources::add_backup(int64_t repository, const SourceBackup& backup, size_t most) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  CB_TRY(insert_backup(connection, repository, backup));
  {
    CB_ASSIGN(Statement forget, connection.prepare(kForgetOld));
    forget.bind(repository).bind(ByteView(backup.source));
    CB_TRY(forget.bind(static_cast<int64_t>(most)).run());
  }
  CB_TRY(drop_claim(connection, repository, backup.snapshot));
  CB_TRY(look_further(connection, repository, backup.sequence));
  return transaction.commit();
}

Result<std::vector<SourceBackup>> SqliteSources::backups(int64_t repository, ByteView source,
                                                         size_t most) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kBackups));
  select.bind(repository).bind(source).bind(static_cast<int64_t>(most));
  std::vector<SourceBackup> all;
  for (;;) {
    CB_ASSIGN(const bool there, select.step());
    if (!there) break;
    CB_ASSIGN(all.emplace_back(), read_backup(select, *reader_.connection));
  }
  std::reverse(all.begin(), all.end());
  return all;
}

Result<std::vector<int64_t>> SqliteSources::times(int64_t repository, ByteView source) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kTimes));
  select.bind(repository).bind(source);
  std::vector<int64_t> all;
  for (;;) {
    CB_ASSIGN(const bool there, select.step());
    if (!there) return all;
    all.push_back(select.integer(0));
  }
}

Status SqliteSources::put_claim(int64_t repository, const Bytes32& snapshot,
                                const SourceClaim& claim) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  return make_unhurried(connection, [&]() -> Status {
    CB_ASSIGN(Statement put, connection.prepare(kPutClaim));
    return put.bind(repository).bind(ByteView(snapshot)).bind(ByteView(packed(claim))).run();
  });
}

Result<std::optional<SourceClaim>> SqliteSources::claim(int64_t repository,
                                                        const Bytes32& snapshot) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kClaim));
  CB_ASSIGN(const bool there, select.bind(repository).bind(ByteView(snapshot)).step());
  if (!there) return std::nullopt;
  return claim_of(select.blob(0));
}

Result<bool> SqliteSources::is_raised(const std::string& alarm) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kIsRaised));
  return select.bind(as_bytes(alarm)).step();
}

Result<bool> SqliteSources::raise(const std::string& alarm, int64_t now_ns) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement insert, writer_.connection->prepare(kRaise));
  CB_TRY(insert.bind(as_bytes(alarm)).bind(now_ns).run());
  return writer_.connection->changes() > 0;
}

Result<bool> SqliteSources::clear(const std::string& alarm) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement remove, writer_.connection->prepare(kClear));
  CB_TRY(remove.bind(as_bytes(alarm)).run());
  return writer_.connection->changes() > 0;
}

}  // namespace cb::catalog
