// SPDX-License-Identifier: Apache-2.0
//
// The SQLite layer: results of SQLite become Errors here and nowhere else.
#include "core/catalog/statement.h"

#include <new>
#include <utility>

namespace cb::catalog {
namespace {

constexpr const char* kDamaged =
    "stop the daemon, keep a copy of the file, then restore it from a backup or run "
    "cyberbackupd rebuild-catalog";

struct Kind {
  Code code;
  Retry retry;
  const char* advice;
};

Kind kind_of(int result) {
  switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::busy, Retry::yes, "another process holds the catalog; try again"};
    case SQLITE_FULL:
      return {Code::no_space, Retry::yes, "make room on the disk of the catalog"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISMATCH:
      return {Code::corrupt, Retry::no, kDamaged};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {Code::denied, Retry::no, "let the daemon's user write the file and its folder"};
    case SQLITE_CANTOPEN:
      return {Code::io, Retry::no, "let the daemon's user read and write the file and its folder"};
    case SQLITE_NOMEM:
      return {Code::no_memory, Retry::yes, ""};
    case SQLITE_CONSTRAINT:
      return {Code::exists, Retry::no, ""};
    case SQLITE_IOERR:
      return {Code::io, Retry::unknown, "look at the disk of the catalog"};
    default:
      return {Code::internal, Retry::unknown, ""};
  }
}

Error error_of(sqlite3* handle, int result, const std::string& file) {
  const Kind kind = kind_of(result);
  std::string cause = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(result);
  Error error = fail(kind.code, file, std::move(cause), kind.advice);
  error.retry = kind.retry;
  return error;
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      file_(other.file_),
      next_(other.next_),
      bound_(other.bound_) {}

Statement::~Statement() {
  if (handle_ == nullptr) return;
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

Statement& Statement::bind(int64_t value) {
  if (bound_ == SQLITE_OK) bound_ = sqlite3_bind_int64(handle_, next_++, value);
  return *this;
}

Statement& Statement::bind(ByteView value) {
  // A null pointer would bind NULL, and an empty blob is not that.
  const void* data = value.empty() ? static_cast<const void*>("") : value.data();
  if (bound_ == SQLITE_OK)
    bound_ = sqlite3_bind_blob64(handle_, next_++, data, value.size(), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::bind_text(std::string_view value) {
  const char* data = value.empty() ? "" : value.data();
  if (bound_ == SQLITE_OK)
    bound_ =
        sqlite3_bind_text64(handle_, next_++, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Result<bool> Statement::step() {
  sqlite3* connection = sqlite3_db_handle(handle_);
  if (bound_ != SQLITE_OK) return failed(error_of(connection, bound_, *file_));
  const int result = sqlite3_step(handle_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return failed(error_of(connection, result, *file_));
}

Status Statement::run() {
  for (;;) {
    CB_ASSIGN(const bool more, step());
    if (!more) return {};
  }
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }

ByteView Statement::blob(int column) const {
  const void* data = sqlite3_column_blob(handle_, column);
  const int size = sqlite3_column_bytes(handle_, column);
  return {static_cast<const std::byte*>(data), static_cast<size_t>(size)};
}

std::string_view Statement::text(int column) const { return as_text(blob(column)); }

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& file, int busy_ms) {
  std::unique_ptr<Connection> connection(new Connection(file));
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int result = sqlite3_open_v2(file.c_str(), &connection->handle_, flags, nullptr);
  if (result != SQLITE_OK) return failed(error_of(connection->handle_, result, file));
  sqlite3_busy_timeout(connection->handle_, busy_ms);
  return connection;
}

Connection::~Connection() {
  for (const auto& [sql, statement] : kept_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Status Connection::execute(const char* sql) {
  const int result = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return failed(error_of(handle_, result, file_));
  return {};
}

Result<Statement> Connection::prepare(const char* sql) {
  sqlite3_stmt*& statement = kept_[sql];
  if (statement == nullptr) {
    const int result =
        sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (result != SQLITE_OK) return failed(error_of(handle_, result, file_));
  }
  return Statement(statement, &file_);
}

Result<int64_t> Connection::integer(const char* sql) {
  CB_ASSIGN(Statement statement, prepare(sql));
  CB_ASSIGN(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

namespace {

// Ends the process (core/os/last_words.h): nothing that is written from now on would be kept.
[[noreturn]] void end_for_want_of_memory() { throw std::bad_alloc(); }

}  // namespace

void Connection::insist(const char* sql) noexcept {
  constexpr int kTries = 3;
  for (int tries = 0; !execute(sql); ++tries)
    if (tries == kTries) end_for_want_of_memory();
}

void Connection::roll_back() noexcept {
  if (sqlite3_get_autocommit(handle_) == 0) insist("ROLLBACK");
}

Result<Transaction> Transaction::begin(Connection& connection) {
  const Status begun = connection.execute("BEGIN IMMEDIATE");
  if (!begun) connection.roll_back();
  CB_TRY(begun);
  return Transaction(connection);
}

Transaction::~Transaction() {
  if (connection_ != nullptr) connection_->roll_back();
}

Status Transaction::commit() {
  CB_TRY(connection_->execute("COMMIT"));
  connection_ = nullptr;
  return {};
}

}  // namespace cb::catalog
