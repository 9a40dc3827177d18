// SPDX-License-Identifier: Apache-2.0
//
// See hook_index.h. Whoever opens it marks it as unsettled, and takes the mark away at the end; so
// a crash is told. Nothing is synced: after a loss of power the file may be anything, and then it
// is made anew, or each record tells by its sum that it is not what was added.
#include "core/catalog/hook_index.h"

#include <algorithm>
#include <filesystem>

#include "core/catalog/replace_file.h"
#include "core/catalog/statement.h"
#include "core/os/file_system.h"

namespace cb::catalog {
namespace {

constexpr int64_t kLayout = 1;
constexpr uintmax_t kMostBytes = uintmax_t{1} << 30;
constexpr size_t kAddedAtOnce = 256;  // records in a transaction
constexpr const char* kSettings =
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = OFF;"
    " PRAGMA cache_size = -4096";
constexpr const char* kMake =
    "BEGIN EXCLUSIVE;"
    " CREATE TABLE IF NOT EXISTS record (number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE,"
    " sum INTEGER NOT NULL, bytes BLOB NOT NULL);"
    " CREATE TABLE IF NOT EXISTS hook (hook INTEGER PRIMARY KEY, record INTEGER NOT NULL);"
    " PRAGMA user_version = 1; COMMIT";

constexpr const char* kLead = "INSERT OR REPLACE INTO hook (hook, record) VALUES (?, ?)";
constexpr const char* kLeadIfNew = "INSERT OR IGNORE INTO hook (hook, record) VALUES (?, ?)";

// FNV-1a: a few KiB at a time, and accidents only.
int64_t sum_of(ByteView bytes) {
  uint64_t sum = 0xcbf29ce484222325;
  for (const std::byte byte : bytes) sum = (sum ^ std::to_integer<uint64_t>(byte)) * 0x100000001b3;
  return static_cast<int64_t>(sum);
}

Result<std::unique_ptr<Connection>> connect_hooks(const std::string& file) {
  CB_TRY(os::real_file_system().open(os::Path(file), os::Open::update));
  CB_ASSIGN(auto connection, Connection::open(file, 0));
  CB_TRY(connection->execute(kSettings));
  CB_ASSIGN(const int64_t layout, connection->integer("PRAGMA user_version"));
  if (layout == 0) CB_TRY(connection->execute(kMake));
  if (layout > kLayout) return failed(Code::unsupported, file, "is of a newer program");
  // Takes the lock, and notices what is no table any more.
  CB_TRY(connection->execute("BEGIN EXCLUSIVE; COMMIT"));
  CB_TRY(connection->integer("SELECT count(*) FROM (SELECT 1 FROM hook LIMIT 1)"));
  return connection;
}

}  // namespace

HookIndex::HookIndex(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

HookIndex::~HookIndex() { static_cast<void>(commit()); }

Status HookIndex::erase(const std::string& file) {
  Status gone = os::real_file_system().remove(file + "-journal");
  if (!gone && gone.error().code != Code::not_found) return gone;
  return remove_catalog_file(file);
}

Result<std::unique_ptr<HookIndex>> HookIndex::open(const std::string& file) {
  auto connection = connect_hooks(file);
  std::error_code unknown;
  const bool is_large = connection && std::filesystem::file_size(file, unknown) > kMostBytes;
  if (is_large || (!connection && connection.error().code != Code::busy)) {
    connection = std::unique_ptr<Connection>();
    CB_TRY(erase(file));
    connection = connect_hooks(file);
  }
  if (!connection) return failed(std::move(connection).error());
  std::unique_ptr<HookIndex> index(new HookIndex(std::move(*connection)));
  CB_ASSIGN(const int64_t unsettled, index->connection_->integer("PRAGMA application_id"));
  index->was_settled_ = unsettled == 0;
  CB_TRY(index->mark(false));
  return index;
}

Status HookIndex::mark(bool is_settled) {
  CB_TRY(begin());
  CB_TRY(
      connection_->execute(is_settled ? "PRAGMA application_id = 0" : "PRAGMA application_id = 1"));
  return commit();
}

Status HookIndex::settle() { return mark(true); }

Status HookIndex::begin() {
  if (in_transaction_) return {};
  const Status begun = connection_->execute("BEGIN IMMEDIATE");
  if (!begun) connection_->roll_back();
  CB_TRY(begun);
  in_transaction_ = true;
  return {};
}

Status HookIndex::add(const Key& key, ByteView record, std::span<const uint64_t> hooks, Age age) {
  CB_TRY(begin());
  CB_ASSIGN(Statement insert,
            connection_->prepare("INSERT INTO record (key, sum, bytes) VALUES (?1, ?2, ?3)"
                                 " ON CONFLICT (key) DO UPDATE SET sum = ?2, bytes = ?3"
                                 " RETURNING number"));
  insert.bind(ByteView(key)).bind(sum_of(record)).bind(record);
  CB_TRY(insert.step());
  const int64_t number = insert.integer(0);
  CB_TRY(insert.run());
  for (const uint64_t hook : hooks) {
    CB_ASSIGN(Statement lead, connection_->prepare(age == Age::newest ? kLead : kLeadIfNew));
    CB_TRY(lead.bind(static_cast<int64_t>(hook)).bind(number).run());
  }
  return ++added_ < kAddedAtOnce ? Status() : commit();
}

Result<bool> HookIndex::contains(const Key& key) {
  CB_ASSIGN(Statement found, connection_->prepare("SELECT 1 FROM record WHERE key = ?"));
  return found.bind(ByteView(key)).step();
}

Result<std::optional<int64_t>> HookIndex::find(uint64_t hook) {
  CB_ASSIGN(Statement found, connection_->prepare("SELECT record FROM hook WHERE hook = ?"));
  CB_ASSIGN(const bool row, found.bind(static_cast<int64_t>(hook)).step());
  return row ? std::optional(found.integer(0)) : std::nullopt;
}

Result<std::optional<HookIndex::Record>> HookIndex::record(int64_t number) {
  CB_ASSIGN(Statement found,
            connection_->prepare("SELECT key, sum, bytes FROM record WHERE number = ?"));
  CB_ASSIGN(const bool row, found.bind(number).step());
  if (!row) return std::optional<Record>();
  Record record;
  const ByteView key = found.blob(0);
  record.bytes = to_bytes(found.blob(2));
  if (key.size() != record.key.size() || found.integer(1) != sum_of(record.bytes))
    return std::optional<Record>();
  std::copy(key.begin(), key.end(), record.key.begin());
  return std::optional(std::move(record));
}

Status HookIndex::remove(const Key& key) {
  CB_TRY(begin());
  CB_ASSIGN(Statement gone, connection_->prepare("DELETE FROM record WHERE key = ?"));
  return gone.bind(ByteView(key)).run();
}

Result<std::vector<HookIndex::Key>> HookIndex::keys(const Key& after, size_t most) {
  CB_ASSIGN(Statement found,
            connection_->prepare("SELECT key FROM record WHERE key > ? ORDER BY key LIMIT ?"));
  found.bind(ByteView(after)).bind(static_cast<int64_t>(most));
  std::vector<Key> keys;
  while (true) {
    CB_ASSIGN(const bool row, found.step());
    if (!row) return keys;
    const ByteView key = found.blob(0);
    if (key.size() != Key().size())
      return failed(Code::corrupt, connection_->file(), "has a key of another size");
    std::copy(key.begin(), key.end(), keys.emplace_back().begin());
  }
}

Result<bool> HookIndex::is_empty() {
  CB_ASSIGN(const int64_t first, connection_->integer("SELECT number FROM record LIMIT 1"));
  return first == 0;
}

Status HookIndex::commit() {
  if (!in_transaction_) return {};
  in_transaction_ = false;
  added_ = 0;
  return connection_->execute("COMMIT");
}

}  // namespace cb::catalog
