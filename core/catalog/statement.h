// SPDX-License-Identifier: Apache-2.0
//
// A thin RAII layer over the SQLite C API: a connection that keeps its prepared statements, and a
// use of one of them. Everything here is for one thread at a time.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/bytes.h"

namespace cb::catalog {

// One use of a prepared statement. Parameters are bound in order, from the first; a failed bind is
// told by the next step(). Resets the statement when it goes. Must not outlive its Connection.
class Statement {
 public:
  Statement(sqlite3_stmt* handle, const std::string* file) : handle_(handle), file_(file) {}
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& bind(int64_t value);
  // A BLOB; copied. Names are blobs too, since they may hold any byte.
  Statement& bind(ByteView value);
  Statement& bind_text(std::string_view value);

  // Goes to the next row; false when there is none.
  Result<bool> step();
  // Steps to the end, so that an autocommit statement is committed.
  Status run();

  // Columns of the current row, from 0. Views live until the next step.
  [[nodiscard]] int64_t integer(int column) const;
  [[nodiscard]] ByteView blob(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  sqlite3_stmt* handle_;
  const std::string* file_;
  int next_ = 1;
  int bound_ = SQLITE_OK;
};

class Connection {
 public:
  // Opens an existing file. Waits up to `busy_ms` for locks of other processes.
  static Result<std::unique_ptr<Connection>> open(const std::string& file, int busy_ms);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs statements that give no rows.
  Status execute(const char* sql);
  // Runs what others' changes would be lost without; ends the process when there is no memory even
  // for that (core/os/last_words.h).
  void insist(const char* sql) noexcept;
  // Ends the transaction, if there is one. A call that failed for want of memory may have begun one
  // all the same, and what is written after that would be lost with it.
  void roll_back() noexcept;
  // `sql` must live for ever (a literal): it is the key under which the statement is kept.
  Result<Statement> prepare(const char* sql);
  // The integer in the first column of the first row; 0 without a row.
  Result<int64_t> integer(const char* sql);
  // Rows that the last statement changed.
  [[nodiscard]] int64_t changes() const { return sqlite3_changes64(handle_); }
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  explicit Connection(std::string file) : file_(std::move(file)) {}

  std::string file_;
  sqlite3* handle_ = nullptr;
  std::unordered_map<const char*, sqlite3_stmt*> kept_;
};

// A transaction that takes the write lock at once; rolled back unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Connection& connection);
  Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, {})) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  Status commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

}  // namespace cb::catalog
