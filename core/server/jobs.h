// SPDX-License-Identifier: Apache-2.0
//
// The scheduler: runs jobs when they are due or asked for, one at a time, and keeps what came of
// it. Thread-safe. Time comes from the clock that is given; only the thread of start() sleeps.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "core/server/alarms.h"
#include "core/server/audit.h"
#include "core/server/job_kinds.h"

namespace cb::server {

// Who asks for what a schedule begins: JobCall::asked_by.
constexpr const char* kSchedule = "schedule";

// How a run ended.
struct JobReport {
  int64_t number = 0;  // 0: it has no row, as a dry run
  catalog::JobOutcome outcome = catalog::JobOutcome::done;
  JobResult result;
  std::optional<Error> error;  // when it failed
};

// The run that is under way.
struct RunningJob {
  const JobKind* kind = nullptr;
  std::string asked_by;
  int64_t begun_ns = 0;
  uint64_t done = 0, total = 0;
  std::string unit;
  bool cancelled = false;
  bool out_of_time = false;
  std::string held;  // why it may not go on; empty: it may

  [[nodiscard]] bool is_cut_short() const { return out_of_time || !held.empty(); }
};

class Jobs {
 public:
  struct Parts {
    catalog::Jobs* catalog = nullptr;
    const os::Clock* clock = nullptr;
    os::Random* random = nullptr;
    log::Log* log = nullptr;
    Audit* audit = nullptr;    // may be missing
    Alarms* alarms = nullptr;  // of jobs that fail; may be missing
    // Why a job that writes into the store, or one that only reads, may not run now; "": it may.
    // For any thread; may be missing.
    std::function<std::string(bool writes)> held = {};
  };

  // Runs that have no end in the catalog were interrupted: for who holds the folder's lock. All
  // that is given outlives it.
  static Result<std::unique_ptr<Jobs>> open(Parts parts, std::vector<JobKind> kinds,
                                            const UpkeepSettings& settings);
  ~Jobs();  // stops
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  // Runs what is due on a thread of its own, until stop().
  void start();
  // Tells what runs to end; nothing begins any more.
  void begin_stop();
  // The same, and waits for it.
  void stop();
  // Other times and budgets, from the next run on.
  void reconfigure(const UpkeepSettings& settings);
  [[nodiscard]] UpkeepSettings settings() const;

  // Without the thread: runs on this one what is due now, one after the other. How many ran.
  size_t run_due();
  // When the next job is due (since 1970 UTC), those that are held apart; nothing when none is.
  [[nodiscard]] std::optional<int64_t> next_due();

  // Runs a job on this thread, once those before it have ended; `call.progress`, if any, is asked
  // meanwhile, too. A failed job is a report, not an error. Code::not_found for an unknown job,
  // Code::cancelled when it never began.
  Result<JobReport> run(const std::string& name, JobCall call);
  // What `held` answers has changed: look again what is due.
  void look_again();
  // Tells a running job to end soon. Code::state when it does not run.
  Status cancel(const std::string& name);

  // Each job: schedule, next time, the last run, and how far it is if it runs.
  Result<report::Json> list();
  // The newest runs first, of one job or of all (empty).
  Result<report::Json> history(const std::string& name, int64_t before, size_t most);

 private:
  struct Plan {
    schedule::Schedule schedule;
    std::optional<int64_t> due;  // as scheduled
    int64_t start = 0;           // with jitter, inside the window
    int64_t last_ns = 0;         // when this process last began it so
  };
  Jobs(Parts parts, std::vector<JobKind> kinds, const UpkeepSettings& settings);
  void serve();
  [[nodiscard]] uint64_t changes() const;
  bool run_one_due();
  bool take_turn(const std::function<bool()>& is_wanted);
  void give_turn();
  JobReport execute(const JobKind& kind, JobCall call, int64_t due_ns);
  JobReport call_job(const JobKind& kind, const JobCall& call);
  bool go_on(const JobCall& call, std::chrono::nanoseconds began, uint64_t done, uint64_t total,
             const std::string& unit);
  void note_end(const JobKind& kind, const JobCall& call, JobReport& report);
  void keep_end(const catalog::JobRun& run, bool quietly);
  void tell_end(const JobKind& kind, const JobCall& call, const JobReport& report);
  [[nodiscard]] std::string held(const JobKind& kind, bool dry_run = false) const;
  [[nodiscard]] const JobKind* kind_of(const std::string& name) const;

  // Each with mutex_ held.
  void plan_all();
  void plan(size_t job);
  Result<int64_t> last_begun(const std::string& name);
  std::optional<size_t> next_job();
  JobCall call_in_budget(const JobKind& kind) const;
  [[nodiscard]] int64_t opens(const JobKind& kind, int64_t at) const;
  [[nodiscard]] report::Json running_as_json() const;

  [[nodiscard]] int64_t now() const { return parts_.clock->wall().count(); }

  const Parts parts_;
  const std::vector<JobKind> kinds_;

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  UpkeepSettings settings_;
  std::vector<Plan> plans_;  // as kinds_
  int64_t planned_ns_ = 0;
  std::list<uint64_t> waiting_;  // tickets, in their turn
  uint64_t next_ticket_ = 0;
  bool is_busy_ = false;
  std::optional<RunningJob> running_;
  bool stopping_ = false;
  uint64_t changes_ = 0;  // of plans, or of what may run

  std::condition_variable turn_;  // somebody's turn ended
  std::condition_variable wake_;  // other plans, or the end
  std::thread thread_;
};

// What scripts and `status` get to see of a run.
report::Json json_of(const catalog::JobRun& run);
// What `job run` answers.
report::Json json_of(const std::string& name, const JobReport& report);

}  // namespace cb::server
