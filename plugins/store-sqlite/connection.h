// SPDX-License-Identifier: Apache-2.0
//
// A connection to the database file and queries on it; the one place that calls SQLite's C
// functions for statements. Failures are thrown as sdk::Failure. A Connection and its queries are
// used by one thread at a time.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace store_sqlite {

class Connection {
 public:
  // Opens `path`, making the file if `create`. Calls wait up to `patience` for other processes.
  Connection(const std::string& path, bool create, std::chrono::milliseconds patience);

  [[nodiscard]] sqlite3* get() const { return handle_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }

  // Runs statements that have no parameters and no results.
  void run(const char* sql);
  // The first column of the first row of `sql`; 0 when there is no row.
  int64_t number(const char* sql);

  // Throws what SQLite last said, about `what`.
  [[noreturn]] void fail(const std::string& what, int code);

 private:
  friend class Query;
  struct Close {
    void operator()(sqlite3* handle) const { ::sqlite3_close_v2(handle); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  sqlite3_stmt* prepared(std::string_view sql);

  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
  std::map<std::string, Statement, std::less<>> statements_;
};

// One run of a statement, which the connection keeps prepared. `sql` is bound from parameter 1 on,
// in the order of the calls; columns count from 0.
class Query {
 public:
  Query(Connection& connection, std::string_view sql);
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query();

  Query& with(int64_t number);
  Query& with(std::string_view text);            // borrowed until the Query ends
  Query& with(std::span<const std::byte> blob);  // borrowed until the Query ends

  // Goes to the next row; false when there is none.
  bool row();
  // Runs a statement without results and returns how many rows it changed.
  int64_t run();

  [[nodiscard]] int64_t number(int column) const;
  [[nodiscard]] std::string text(int column) const;

 private:
  void check(int code);

  Connection& connection_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

}  // namespace store_sqlite
