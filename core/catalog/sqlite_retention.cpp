// SPDX-License-Identifier: Apache-2.0
//
// The SQL of retention: rules, pins and approvals.
#include "core/catalog/sqlite_retention.h"

namespace cb::catalog {
namespace {

#define CB_APPROVAL_COLUMNS                                                         \
  "number, what, repository, detail, asked_by, asked_ns, approved_by, approved_ns," \
  " used_ns"

constexpr const char* kRules =
    "SELECT source, rules, set_ns, set_by FROM retention WHERE repository = ? ORDER BY source";
constexpr const char* kSetRules =
    "INSERT OR REPLACE INTO retention (repository, source, rules, set_ns, set_by)"
    " VALUES (?, ?, ?, ?, ?)";
constexpr const char* kRemoveRules = "DELETE FROM retention WHERE repository = ? AND source = ?";
constexpr const char* kPins =
    "SELECT snapshot, until_ns, reason, set_ns, set_by FROM pin WHERE repository = ?"
    " ORDER BY snapshot";
constexpr const char* kSetPin =
    "INSERT OR REPLACE INTO pin (repository, snapshot, until_ns, reason, set_ns, set_by)"
    " VALUES (?, ?, ?, ?, ?, ?)";
constexpr const char* kRemovePin = "DELETE FROM pin WHERE repository = ? AND snapshot = ?";
constexpr const char* kAsk =
    "INSERT INTO approval (what, repository, detail, asked_by, asked_ns, approved_by, approved_ns,"
    " used_ns) VALUES (?, ?, ?, ?, ?, x'', 0, 0) RETURNING number";
constexpr const char* kApproval = "SELECT " CB_APPROVAL_COLUMNS " FROM approval WHERE number = ?";
constexpr const char* kApprovals =
    "SELECT " CB_APPROVAL_COLUMNS
    " FROM approval WHERE (?1 = 0 OR repository = ?1) AND (?2 = 0 OR used_ns = 0) ORDER BY number";
constexpr const char* kApprove =
    "UPDATE approval SET approved_by = ?2, approved_ns = ?3"
    " WHERE number = ?1 AND approved_ns = 0 AND used_ns = 0";
constexpr const char* kUse =
    "UPDATE approval SET used_ns = ?2 WHERE number = ?1 AND used_ns = 0 AND approved_ns >= ?3";

std::string bytes_text(const Statement& row, int column) {
  return std::string(as_text(row.blob(column)));
}

ApprovalRow read_approval(const Statement& row) {
  ApprovalRow one;
  one.number = row.integer(0);
  one.what = row.text(1);
  one.repository = row.integer(2);
  one.detail = row.text(3);
  one.asked_by = bytes_text(row, 4);
  one.asked_ns = row.integer(5);
  one.approved_by = bytes_text(row, 6);
  one.approved_ns = row.integer(7);
  one.used_ns = row.integer(8);
  return one;
}

Error no_approval(int64_t number) {
  return fail(Code::not_found, "request " + std::to_string(number), "is not known",
              "cyberbackupd job requests shows what waits");
}

// Why a change of a request changed nothing.
Status refusal(Connection& connection, int64_t number) {
  CB_ASSIGN(Statement select, connection.prepare(kApproval));
  CB_ASSIGN(const bool there, select.bind(number).step());
  if (!there) return failed(no_approval(number));
  const ApprovalRow one = read_approval(select);
  const char* what = "waits for an approval";
  if (one.approved_ns != 0) what = "is approved already";
  if (one.used_ns != 0) what = "was done, or is not asked any more";
  return failed(Code::state, "request " + std::to_string(number), what);
}

Status end_requests(Connection& connection, std::span<const int64_t> numbers, int64_t now_ns) {
  for (const int64_t number : numbers) {
    CB_ASSIGN(Statement end, connection.prepare(kUse));
    CB_TRY(end.bind(number).bind(now_ns).bind(int64_t{0}).run());
  }
  return {};
}

}  // namespace

Result<std::vector<RetentionRow>> SqliteRetention::rules(int64_t repository) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kRules));
  select.bind(repository);
  std::vector<RetentionRow> all;
  for (;;) {
    CB_ASSIGN(const bool there, select.step());
    if (!there) return all;
    all.push_back({to_bytes(select.blob(0)), std::string(select.text(1)), select.integer(2),
                   bytes_text(select, 3)});
  }
}

Status SqliteRetention::set_rules(int64_t repository, const RetentionRow& row) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement set, writer_.connection->prepare(kSetRules));
  set.bind(repository).bind(ByteView(row.source)).bind_text(row.rules);
  return set.bind(row.set_ns).bind(as_bytes(row.set_by)).run();
}

Status SqliteRetention::remove_rules(int64_t repository, ByteView source) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement remove, writer_.connection->prepare(kRemoveRules));
  CB_TRY(remove.bind(repository).bind(source).run());
  if (writer_.connection->changes() > 0) return {};
  return failed(Code::not_found, source.empty() ? "the repository" : "the source",
                "has no retention rules of its own");
}

Result<std::vector<PinRow>> SqliteRetention::pins(int64_t repository) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kPins));
  select.bind(repository);
  std::vector<PinRow> all;
  for (;;) {
    CB_ASSIGN(const bool there, select.step());
    if (!there) return all;
    PinRow pin;
    CB_ASSIGN(pin.snapshot, fixed_bytes<32>(select, 0, *reader_.connection));
    pin.until_ns = select.integer(1);
    pin.reason = bytes_text(select, 2);
    pin.set_ns = select.integer(3);
    pin.set_by = bytes_text(select, 4);
    all.push_back(std::move(pin));
  }
}

Status SqliteRetention::set_pin(int64_t repository, const PinRow& pin) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement set, writer_.connection->prepare(kSetPin));
  set.bind(repository).bind(ByteView(pin.snapshot)).bind(pin.until_ns).bind(as_bytes(pin.reason));
  return set.bind(pin.set_ns).bind(as_bytes(pin.set_by)).run();
}

Status SqliteRetention::remove_pin(int64_t repository, const Bytes32& snapshot) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement remove, writer_.connection->prepare(kRemovePin));
  CB_TRY(remove.bind(repository).bind(ByteView(snapshot)).run());
  if (writer_.connection->changes() > 0) return {};
  return failed(Code::not_found, "snapshot " + to_hex(snapshot), "is not pinned");
}

Result<int64_t> SqliteRetention::ask(const ApprovalRow& request, std::span<const int64_t> instead) {
  const std::lock_guard lock(writer_.mutex);
  Connection& connection = *writer_.connection;
  CB_ASSIGN(Transaction transaction, Transaction::begin(connection));
  CB_TRY(end_requests(connection, instead, request.asked_ns));
  int64_t number = 0;
  {
    CB_ASSIGN(Statement insert, connection.prepare(kAsk));
    insert.bind_text(request.what).bind(request.repository).bind_text(request.detail);
    insert.bind(as_bytes(request.asked_by)).bind(request.asked_ns);
    CB_ASSIGN(const bool row, insert.step());
    if (!row) return failed(Code::internal, connection.file(), "gave a request no number");
    number = insert.integer(0);
  }
  CB_TRY(transaction.commit());
  return number;
}

Result<std::optional<ApprovalRow>> SqliteRetention::approval(int64_t number) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kApproval));
  CB_ASSIGN(const bool there, select.bind(number).step());
  if (!there) return std::nullopt;
  return read_approval(select);
}

Result<std::vector<ApprovalRow>> SqliteRetention::approvals(int64_t repository, bool open) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kApprovals));
  select.bind(repository).bind(open ? 1 : 0);
  std::vector<ApprovalRow> all;
  for (;;) {
    CB_ASSIGN(const bool there, select.step());
    if (!there) return all;
    all.push_back(read_approval(select));
  }
}

Status SqliteRetention::approve(int64_t number, const std::string& by, int64_t now_ns) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement change, writer_.connection->prepare(kApprove));
  CB_TRY(change.bind(number).bind(as_bytes(by)).bind(now_ns).run());
  if (writer_.connection->changes() > 0) return {};
  return refusal(*writer_.connection, number);
}

Status SqliteRetention::use(int64_t number, bool approved, int64_t now_ns) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement change, writer_.connection->prepare(kUse));
  CB_TRY(change.bind(number).bind(now_ns).bind(int64_t{approved ? 1 : 0}).run());
  if (writer_.connection->changes() > 0) return {};
  return refusal(*writer_.connection, number);
}

}  // namespace cb::catalog
