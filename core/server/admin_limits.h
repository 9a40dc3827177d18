// SPDX-License-Identifier: Apache-2.0
//
// What an operator can do about limits of accounts and devices. Used by AdminCommands. Functions
// block; thread-safe.
#pragma once

#include "core/report/json.h"
#include "core/repository/engine.h"
#include "core/server/limit_book.h"

namespace cb::server {

class AdminLimits {
 public:
  // All outlive it.
  AdminLimits(catalog::Accounts& accounts, repository::Engine& engine, LimitBook& book)
      : accounts_(accounts), engine_(engine), book_(book) {}

  // Is it one of limits.show and limits.set?
  static bool serves(const std::string& command);
  // limits.show: of the request's account, or of all. limits.set: {"account", "device", "values":
  // {"stored": bytes, "sessions": null}, "asked_by"}; null is what the settings say, 0 no limit.
  Result<report::Json> run(const std::string& command, const report::Json& request) const;

 private:
  Result<report::Json> show(const report::Json& request) const;
  Result<report::Json> describe(const catalog::Account& account) const;
  Result<report::Json> set(const report::Json& request) const;
  Result<catalog::Account> account_of(const std::string& name) const;

  catalog::Accounts& accounts_;
  repository::Engine& engine_;
  LimitBook& book_;
};

// Accounts that store more than their soft limit, or as much as they may, for `status`.
report::Json limit_troubles(catalog::Accounts& accounts, LimitBook& book);

}  // namespace cb::server
