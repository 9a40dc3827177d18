// SPDX-License-Identifier: Apache-2.0
//
// What the server does by itself, one kind of work each: retention, collection and the like
// (docs/operations.md, "Upkeep"). A job's function blocks and runs on a thread of its own; it asks
// `progress` often, at least before each object of the store that it touches.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/report/json.h"

namespace cb::server {

struct JobCall {
  std::optional<std::string> account;       // only this one's repository; nothing: all
  bool dry_run = false;                     // says what it would do, and does nothing
  uint64_t most_bytes = 0;                  // to be read and written; 0: as many as it takes
  std::chrono::nanoseconds most_time = {};  // 0: as long as it takes
  std::string asked_by;                     // "schedule", or who asked: for the audit log
  // Tells how far it is; false: stop as soon as what is begun is whole (Code::cancelled).
  std::function<bool(uint64_t done, uint64_t total, const std::string& unit)> progress;
};

struct JobResult {
  std::string summary;    // a sentence for people
  report::Json detail;    // the same for scripts, and more
  bool asks = false;      // it stopped where a person has to decide: see `job approve`
  bool is_short = false;  // a budget ended it: there is more to do
  // Nothing came of it: when a schedule began it, the history keeps no more than the newest such
  // run, and the audit log none.
  bool is_idle = false;
};

using JobFunction = std::function<Result<JobResult>(const JobCall&)>;

// A kind of job as the scheduler knows it.
struct JobKind {
  std::string name;  // "retention"
  std::string what;  // a sentence, for `job list`
  JobFunction run;
  std::string schedule;      // when it runs unless [upkeep] says otherwise (core/schedule)
  bool heeds_window = true;  // false: it is light, and runs outside of the window, too
  bool writes = true;        // changes what lies in the store, unless it is a dry run
};

}  // namespace cb::server
