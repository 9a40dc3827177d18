// SPDX-License-Identifier: Apache-2.0
//
// The job that applies rules of retention (docs/retention.md): into the trash what they do not
// keep, and out of it for good what has lain there long enough. Thread-safe; blocks.
#pragma once

#include "core/log/log.h"
#include "core/server/alarms.h"
#include "core/server/audit.h"
#include "core/server/job.h"
#include "core/server/retention_book.h"

namespace cb::server {

// All outlive the job.
struct RetentionParts {
  catalog::Catalog* catalog = nullptr;
  repository::Engine* engine = nullptr;
  RetentionBook* book = nullptr;
  const os::Clock* clock = nullptr;
  log::Log* log = nullptr;
  Audit* audit = nullptr;    // may be null
  Alarms* alarms = nullptr;  // may be null
  // Before an account's snapshots are judged: looks for anomalies among those that just came. May
  // be empty.
  std::function<Status(const catalog::Account&)> look_first;
  // Percent of a source's snapshots that go without asking; asked at each run.
  std::function<uint64_t()> most_removed = [] { return uint64_t{50}; };
};

// A dry run's detail has every snapshot with what becomes of it and why; that of a run, what was
// done. A repository that is damaged keeps no other from its turn; the run fails in the end.
JobKind retention_job(const RetentionParts& parts);

// A plan as the detail has it.
report::Json json_of(const PlannedSource& plan);

}  // namespace cb::server
