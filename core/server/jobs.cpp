// SPDX-License-Identifier: Apache-2.0
//
// Turns, runs and the thread; when a job is due is in jobs_plan.cpp, what is told in
// jobs_report.cpp.
#include "core/server/jobs.h"

#include <algorithm>

#include "core/os/freed_memory.h"
#include "core/server/thrown.h"

namespace cb::server {
namespace {

// How often who waits for its turn looks whether it is wanted still.
constexpr auto kTurnStep = std::chrono::milliseconds(100);
// The longest sleep: the clock may be set meanwhile.
constexpr auto kLongestSleep = std::chrono::minutes(1);
// How much longer than its budget a job may take before it is told to end.
constexpr auto kGrace = std::chrono::minutes(1);

}  // namespace

Jobs::Jobs(Parts parts, std::vector<JobKind> kinds, const UpkeepSettings& settings)
    : parts_(parts), kinds_(std::move(kinds)), settings_(settings), plans_(kinds_.size()) {}

Result<std::unique_ptr<Jobs>> Jobs::open(Parts parts, std::vector<JobKind> kinds,
                                         const UpkeepSettings& settings) {
  std::unique_ptr<Jobs> jobs(new Jobs(parts, std::move(kinds), settings));
  CB_ASSIGN(const uint64_t interrupted, parts.catalog->interrupt(jobs->now()));
  if (interrupted > 0) parts.log->warn("job.interrupted", {{"runs", interrupted}});
  const std::lock_guard lock(jobs->mutex_);
  jobs->plan_all();
  return jobs;
}

Jobs::~Jobs() { stop(); }

void Jobs::start() {
  thread_ = std::thread([this] { serve(); });
}

void Jobs::begin_stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
  turn_.notify_all();
}

void Jobs::stop() {
  begin_stop();
  {
    std::unique_lock lock(mutex_);
    turn_.wait(lock, [this] { return !is_busy_ && waiting_.empty(); });
  }
  if (thread_.joinable()) thread_.join();
}

void Jobs::reconfigure(const UpkeepSettings& settings) {
  const std::lock_guard lock(mutex_);
  settings_ = settings;
  plan_all();
  ++changes_;
  wake_.notify_all();
}

void Jobs::look_again() {
  const std::lock_guard lock(mutex_);
  ++changes_;
  wake_.notify_all();
}

std::string Jobs::held(const JobKind& kind, bool dry_run) const {
  return parts_.held ? parts_.held(kind.writes && !dry_run) : std::string();
}

UpkeepSettings Jobs::settings() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

void Jobs::serve() {
  while (true) {
    const uint64_t seen = changes();
    while (run_one_due()) continue;
    // At least once a minute, so that no peak stays: neither a job's nor that of many clients.
    os::return_freed_memory();
    const auto due = next_due();
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    const int64_t longest = std::chrono::nanoseconds(kLongestSleep).count();
    const int64_t sleep = due ? std::clamp<int64_t>(*due - now(), 0, longest) : longest;
    // A change that came after the plans were looked at is none to sleep over.
    wake_.wait_for(lock, std::chrono::nanoseconds(sleep),
                   [&] { return stopping_ || changes_ != seen; });
  }
}

uint64_t Jobs::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}

size_t Jobs::run_due() {
  size_t count = 0;
  while (run_one_due()) ++count;
  return count;
}

bool Jobs::run_one_due() {
  {
    const std::lock_guard lock(mutex_);
    if (!next_job()) return false;
  }
  if (!take_turn([] { return true; })) return false;
  std::optional<size_t> job;
  JobCall call;
  int64_t due = 0;
  {
    const std::lock_guard lock(mutex_);
    job = next_job();  // it may have waited for hours
    if (job) {
      call = call_in_budget(kinds_[*job]);
      due = plans_[*job].due.value_or(0);
      plans_[*job].last_ns = now();
    }
  }
  if (job) {
    call.asked_by = kSchedule;
    (void)execute(kinds_[*job], std::move(call), due);
    const std::lock_guard lock(mutex_);
    plan(*job);
  }
  give_turn();
  return job.has_value();
}

// False when it is wanted no more, or nothing runs any more.
bool Jobs::take_turn(const std::function<bool()>& is_wanted) {
  std::unique_lock lock(mutex_);
  const uint64_t ticket = next_ticket_++;
  waiting_.push_back(ticket);
  while (!stopping_ && (is_busy_ || waiting_.front() != ticket)) {
    turn_.wait_for(lock, kTurnStep);
    lock.unlock();
    const bool wanted = is_wanted();
    lock.lock();
    if (!wanted) break;
  }
  const bool is_turn = !stopping_ && !is_busy_ && waiting_.front() == ticket;
  waiting_.remove(ticket);
  is_busy_ = is_busy_ || is_turn;
  turn_.notify_all();
  return is_turn;
}

void Jobs::give_turn() {
  const std::lock_guard lock(mutex_);
  is_busy_ = false;
  turn_.notify_all();
}

Result<JobReport> Jobs::run(const std::string& name, JobCall call) {
  const JobKind* kind = kind_of(name);
  if (kind == nullptr) {
    std::string names;
    for (const JobKind& one : kinds_) names += (names.empty() ? "" : ", ") + one.name;
    return failed(Code::not_found, "job '" + name + "'", "is not known", "known are: " + names);
  }
  const auto busy = [&](const std::string& why) {
    return failed(Code::busy, "job " + name, "may not run: " + why,
                  "cyberbackupd store mode normal ends that");
  };
  if (const std::string why = held(*kind, call.dry_run); !why.empty()) return busy(why);
  const auto wanted = call.progress;
  if (!take_turn([&] { return !wanted || wanted(0, 0, ""); }))
    return failed(Code::cancelled, "job " + name, "did not begin");
  JobReport report = execute(*kind, std::move(call), 0);
  give_turn();
  return report;
}

Status Jobs::cancel(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (!running_ || running_->kind->name != name)
    return failed(Code::state, "job " + name, "does not run",
                  "cyberbackupd job list shows what does");
  running_->cancelled = true;
  return {};
}

// A catalog that takes nothing (a full disk) must not keep a job from making room.
JobReport Jobs::execute(const JobKind& kind, JobCall call, int64_t due_ns) {
  catalog::JobRun run;
  run.job = kind.name;
  run.asked_by = call.asked_by;
  run.due_ns = due_ns;
  run.begun_ns = now();
  if (!call.dry_run) {
    const auto begun = parts_.catalog->begin(run);
    if (!begun)
      parts_.log->error("job.not-noted", {{"job", kind.name}, {"error", begun.error().text()}});
    run.number = begun.value_or(0);
  }
  {
    const std::lock_guard lock(mutex_);
    running_.emplace();
    running_->kind = &kind;
    running_->asked_by = call.asked_by;
    running_->begun_ns = run.begun_ns;
  }
  parts_.log->info("job.begin", {{"job", kind.name},
                                 {"asked_by", call.asked_by},
                                 {"account", call.account.value_or("")},
                                 {"dry_run", call.dry_run ? "yes" : "no"}});
  JobReport report = call_job(kind, call);
  report.number = run.number;
  note_end(kind, call, report);
  return report;
}

JobReport Jobs::call_job(const JobKind& kind, const JobCall& call) {
  JobReport report;
  JobCall inner = call;
  const auto began = parts_.clock->monotonic();
  inner.progress = [this, &call, began](uint64_t done, uint64_t total, const std::string& unit) {
    return go_on(call, began, done, total, unit);
  };
  Result<JobResult> result = [&]() -> Result<JobResult> {
    try {
      return kind.run(inner);
    } catch (...) {
      return failed(Code::internal, "job " + kind.name, text_of(std::current_exception()));
    }
  }();
  const std::lock_guard lock(mutex_);
  if (result) {
    report.result = std::move(*result);
    report.outcome = report.result.asks ? catalog::JobOutcome::asks : catalog::JobOutcome::done;
  } else if (result.error().code == Code::cancelled && running_->is_cut_short()) {
    report.result.is_short = true;
    report.result.summary = running_->out_of_time ? "its time was over; the next run goes on"
                                                  : running_->held + "; a later run goes on";
  } else if (result.error().code == Code::cancelled && (stopping_ || running_->cancelled)) {
    report.outcome = stopping_ ? catalog::JobOutcome::interrupted : catalog::JobOutcome::cancelled;
    report.result.summary = stopping_ ? "the daemon ended meanwhile" : "was cancelled";
  } else {
    report.outcome = catalog::JobOutcome::failed;
    report.error = result.error();
    report.result.summary = result.error().text();
  }
  running_.reset();
  return report;
}

// May a job go on? Called by the job.
bool Jobs::go_on(const JobCall& call, std::chrono::nanoseconds began, uint64_t done, uint64_t total,
                 const std::string& unit) {
  const bool is_wanted = !call.progress || call.progress(done, total, unit);
  const std::lock_guard lock(mutex_);
  if (!running_) return false;
  running_->held = held(*running_->kind, call.dry_run);
  running_->done = done;
  running_->total = total;
  running_->unit = unit;
  if (!is_wanted) running_->cancelled = true;
  const bool has_end = call.most_time.count() > 0;
  if (has_end && parts_.clock->monotonic() - began > call.most_time + kGrace)
    running_->out_of_time = true;
  return !stopping_ && !running_->cancelled && !running_->out_of_time && running_->held.empty();
}

const JobKind* Jobs::kind_of(const std::string& name) const {
  const auto found = std::find_if(kinds_.begin(), kinds_.end(),
                                  [&](const JobKind& kind) { return kind.name == name; });
  return found == kinds_.end() ? nullptr : &*found;
}

}  // namespace cb::server
