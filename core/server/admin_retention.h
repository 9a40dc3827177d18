// SPDX-License-Identifier: Apache-2.0
//
// What an operator can do about retention: rules, pins, and requests that wait for a person. Used
// by AdminCommands. Functions block; thread-safe.
#pragma once

#include "core/report/json.h"
#include "core/server/retention_book.h"

namespace cb::server {

class AdminRetention {
 public:
  // Both outlive it.
  AdminRetention(repository::Engine& engine, RetentionBook& book) : engine_(engine), book_(book) {}

  // Is it one of retention.show, retention.set, retention.pin, retention.unpin, job.requests and
  // job.approve?
  static bool serves(const std::string& command);
  // Does it change something?
  static bool changes(const std::string& command);
  // `account`: that of the request, unless it is of job.*. Its "asked_by" is who asks.
  Result<report::Json> run(const std::string& command, const catalog::Account* account,
                           const report::Json& request) const;

 private:
  Result<report::Json> show(const repository::RepositoryId& repository) const;
  Result<report::Json> set(const repository::RepositoryId& repository,
                           const report::Json& request) const;
  Result<report::Json> pin(const repository::RepositoryId& repository, const report::Json& request,
                           bool pins) const;
  Result<report::Json> requests() const;
  Result<report::Json> approve(const report::Json& request) const;

  repository::Engine& engine_;
  RetentionBook& book_;
};

// The source that a prefix means: of its hash, or "DEVICE/HASH" with prefixes of both. Empty for an
// empty one: the repository. Code::not_found, and Code::invalid when it is several's.
Result<SourceKey> find_source(std::span<const repository::SnapshotInfo> snapshots,
                              std::span<const SourceRules> rules, const std::string& prefix);

// The same of these; `advice` for who names none.
Result<SourceKey> find_source(std::span<const SourceKey> known, const std::string& prefix,
                              const std::string& advice);

report::Json json_of(const SourceRules& rules);

}  // namespace cb::server
