// SPDX-License-Identifier: Apache-2.0
//
// What jobs of the server ran, and how they ended. Abstract; thread-safe; functions block and
// belong on a worker. Every change is durable when the function returns. Times are nanoseconds
// since 1970 UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace cb::catalog {

// The numbers are those of the data base.
enum class JobOutcome : uint8_t {
  running = 0,
  done = 1,
  failed = 2,
  cancelled = 3,    // by a person
  interrupted = 4,  // the daemon ended, or was ended, meanwhile
  asks = 5,         // a person has to decide before it goes on
};

// "done".
const char* name_of(JobOutcome outcome);

struct JobRun {
  int64_t number = 0;  // set by begin
  std::string job;
  std::string asked_by;
  int64_t due_ns = 0;  // when the schedule said so; 0: somebody asked for it
  int64_t begun_ns = 0;
  int64_t ended_ns = 0;  // 0: it runs
  JobOutcome outcome = JobOutcome::running;
  std::string summary;  // a sentence
  std::string detail;   // JSON, or empty
};

class Jobs {
 public:
  virtual ~Jobs() = default;

  // A run that begins: job, asked_by, due_ns and begun_ns count. Returns its number.
  virtual Result<int64_t> begin(const JobRun& run) = 0;
  // Its end: number, ended_ns, outcome, summary and detail count. Code::not_found unless it runs.
  virtual Status end(const JobRun& run) = 0;
  // All that have no end were interrupted. Returns how many.
  virtual Result<uint64_t> interrupt(int64_t now_ns) = 0;

  // The newest first, at most `most`: of one job, or of all when it is empty; numbers below
  // `before` when that is not 0.
  virtual Result<std::vector<JobRun>> history(const std::string& job, int64_t before,
                                              size_t most) = 0;
  // The newest of a job that a schedule began, at most `most`.
  virtual Result<std::vector<JobRun>> scheduled(const std::string& job, size_t most) = 0;
  // When the first run that is known began; nothing when none is.
  virtual Result<std::optional<int64_t>> oldest() = 0;
  // Forgets runs that began before this and have ended, but never the newest of a job. How many.
  virtual Result<uint64_t> forget(int64_t before_ns) = 0;
  // Forgets earlier runs of the same job that a schedule began and that ended as this one did, in
  // the same words: for what runs often and finds nothing. How many.
  virtual Result<uint64_t> forget_same(int64_t number) = 0;
};

}  // namespace cb::catalog
