// SPDX-License-Identifier: Apache-2.0
//
// See connection.h.
#include "connection.h"

#include <cerrno>

#include "cyberbackup/cpp/failure.hpp"

namespace store_sqlite {

namespace sdk = cyberbackup::sdk;

namespace {

struct Meaning {
  cb_status status;
  uint32_t flags;
};

Meaning meaning_of(int code, int os_errno) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {CB_E_BUSY, CB_ERROR_RETRY};
    case SQLITE_FULL:
      return {CB_E_NO_SPACE, 0};
    case SQLITE_NOMEM:
      return {CB_E_NO_MEMORY, CB_ERROR_RETRY};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {CB_E_CORRUPT, CB_ERROR_PERMANENT};
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return {CB_E_DENIED, CB_ERROR_PERMANENT};
    case SQLITE_TOOBIG:
      return {CB_E_LIMIT, CB_ERROR_PERMANENT};
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return {sdk::status_of_errno(os_errno), 0};
    default:
      return {CB_E_INTERNAL, 0};
  }
}

}  // namespace

Connection::Connection(const std::string& path, bool create, std::chrono::milliseconds patience)
    : path_(path) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (create ? SQLITE_OPEN_CREATE : 0);
  const int code = ::sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) fail("cannot open", code);
  ::sqlite3_busy_timeout(handle, static_cast<int>(patience.count()));
}

void Connection::fail(const std::string& what, int code) {
  const bool out_of_memory = handle_ == nullptr;
  const int os_errno = out_of_memory ? ENOMEM : ::sqlite3_system_errno(handle_.get());
  const Meaning meaning = meaning_of(out_of_memory ? SQLITE_NOMEM : code, os_errno);
  const char* text = out_of_memory ? "out of memory" : ::sqlite3_errmsg(handle_.get());
  throw sdk::Failure(meaning.status, what + " " + path_ + ": " + text, os_errno, meaning.flags);
}

void Connection::run(const char* sql) {
  const int code = ::sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail("cannot use", code);
}

int64_t Connection::number(const char* sql) {
  Query query(*this, sql);
  return query.row() ? query.number(0) : 0;
}

sqlite3_stmt* Connection::prepared(std::string_view sql) {
  const auto known = statements_.find(sql);
  if (known != statements_.end()) return known->second.get();
  sqlite3_stmt* statement = nullptr;
  const int code = ::sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) fail("cannot use", code);
  statements_.emplace(std::string(sql), Statement(statement));
  return statement;
}

Query::Query(Connection& connection, std::string_view sql)
    : connection_(connection), statement_(connection.prepared(sql)) {}

Query::~Query() {
  ::sqlite3_reset(statement_);
  ::sqlite3_clear_bindings(statement_);
}

void Query::check(int code) {
  if (code != SQLITE_OK) connection_.fail("cannot use", code);
}

Query& Query::with(int64_t number) {
  check(::sqlite3_bind_int64(statement_, ++bound_, number));
  return *this;
}

Query& Query::with(std::string_view text) {
  check(::sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()),
                            SQLITE_STATIC));
  return *this;
}

Query& Query::with(std::span<const std::byte> blob) {
  check(::sqlite3_bind_blob64(statement_, ++bound_, blob.data(), blob.size(), SQLITE_STATIC));
  return *this;
}

bool Query::row() {
  const int code = ::sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) connection_.fail("cannot use", code);
  return false;
}

int64_t Query::run() {
  row();
  return ::sqlite3_changes64(connection_.get());
}

int64_t Query::number(int column) const { return ::sqlite3_column_int64(statement_, column); }

std::string Query::text(int column) const {
  const auto* bytes = static_cast<const char*>(::sqlite3_column_blob(statement_, column));
  const int length = ::sqlite3_column_bytes(statement_, column);
  return length > 0 ? std::string(bytes, static_cast<size_t>(length)) : std::string();
}

}  // namespace store_sqlite
