// SPDX-License-Identifier: Apache-2.0
//
// What an operator can do about sources that are watched: list them, end freezes, and say when a
// backup is expected. Used by AdminCommands. Functions block; thread-safe.
#pragma once

#include "core/repository/engine.h"
#include "core/server/retention_book.h"
#include "core/server/watch_book.h"

namespace cb::server {

class AdminWatch {
 public:
  // All outlive it.
  AdminWatch(catalog::Catalog& catalog, WatchBook& book, RetentionBook& retention)
      : catalog_(catalog), book_(book), retention_(retention) {}

  // Is it one of watch.list, watch.release and watch.set?
  static bool serves(const std::string& command) { return command.starts_with("watch."); }
  // Does it change something?
  static bool changes(const std::string& command) { return command != "watch.list"; }
  // `account`: that of the request; watch.list may do without. Its "asked_by" is who asks.
  Result<report::Json> run(const std::string& command, const catalog::Account* account,
                           const report::Json& request) const;

 private:
  Result<report::Json> list(const catalog::Account* account) const;
  Result<report::Json> release(const catalog::Account& account, const report::Json& request) const;
  Result<report::Json> set(const catalog::Account& account, const report::Json& request) const;

  catalog::Catalog& catalog_;
  WatchBook& book_;
  RetentionBook& retention_;
};

report::Json json_of(const WatchedSource& source);

}  // namespace cb::server
