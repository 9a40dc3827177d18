// SPDX-License-Identifier: Apache-2.0
//
// When jobs are due. What a daemon missed while it did not run is done once, however often it was
// missed.
#include <algorithm>

#include "core/server/jobs.h"

namespace cb::server {
namespace {

// A clock that goes back further makes all plans anew.
constexpr int64_t kClockSlack = 3600 * int64_t{1'000'000'000};

uint64_t draw_number(os::Random& random) {
  std::array<std::byte, 8> bytes{};
  if (!random.fill(bytes)) return 0;
  uint64_t number = 0;
  for (const std::byte byte : bytes) number = number << 8 | std::to_integer<uint64_t>(byte);
  return number;
}

}  // namespace

void Jobs::plan_all() {
  for (size_t job = 0; job < kinds_.size(); ++job) plan(job);
}

void Jobs::plan(size_t job) {
  const JobKind& kind = kinds_[job];
  Plan& plan = plans_[job];
  const auto set = settings_.schedules.find(kind.name);
  plan.schedule = set != settings_.schedules.end()
                      ? set->second
                      : schedule::Schedule::parse(kind.schedule).value_or(schedule::Schedule());
  planned_ns_ = now();
  auto begun = last_begun(kind.name);
  if (!begun)
    parts_.log->error("job.history-unread", {{"job", kind.name}, {"error", begun.error().text()}});
  const int64_t last = std::min(std::max(begun.value_or(planned_ns_), plan.last_ns), planned_ns_);
  const schedule::Zone zone = settings_.zone();
  plan.due = plan.schedule.next(last, zone);
  if (!plan.due) return;
  const auto later = schedule::jitter(plan.schedule, *plan.due, zone, settings_.jitter,
                                      draw_number(*parts_.random));
  plan.start = opens(kind, std::max(*plan.due, planned_ns_) + later.count());
}

// The first moment from `at` on at which the schedule may begin it.
int64_t Jobs::opens(const JobKind& kind, int64_t at) const {
  return kind.heeds_window ? settings_.window.opens(at, settings_.zone()) : at;
}

// When the schedule was last heeded. A run that was interrupted did not heed it, but one that
// brings the daemon down must not do so at each start: the second interrupted one counts. A job
// that never ran is due as if it had at the first run of any.
Result<int64_t> Jobs::last_begun(const std::string& name) {
  CB_ASSIGN(const auto runs, parts_.catalog->scheduled(name, 2));
  if (runs.empty()) {
    CB_ASSIGN(const auto oldest, parts_.catalog->oldest());
    return oldest.value_or(now());
  }
  const auto was_interrupted = [&](size_t at) {
    return at < runs.size() && runs[at].outcome == catalog::JobOutcome::interrupted;
  };
  if (was_interrupted(0) && !was_interrupted(1)) return runs[0].due_ns - 1;
  return runs[0].begun_ns;
}

// The one that waits longest of those that are due and may run now.
std::optional<size_t> Jobs::next_job() {
  const int64_t at = now();
  if (at < planned_ns_ - kClockSlack) plan_all();
  std::optional<size_t> next;
  for (size_t job = 0; job < plans_.size(); ++job) {
    Plan& plan = plans_[job];
    if (!plan.due || plan.start > at || !held(kinds_[job]).empty()) continue;
    plan.start = std::max(plan.start, opens(kinds_[job], at));
    if (plan.start > at) continue;
    if (!next || *plan.due < *plans_[*next].due) next = job;
  }
  return next;
}

std::optional<int64_t> Jobs::next_due() {
  const std::lock_guard lock(mutex_);
  if (now() < planned_ns_ - kClockSlack) plan_all();
  std::optional<int64_t> first;
  for (size_t job = 0; job < plans_.size(); ++job) {
    const Plan& plan = plans_[job];
    const bool may = plan.due && held(kinds_[job]).empty();
    if (may && (!first || plan.start < *first)) first = plan.start;
  }
  return first;
}

// What a scheduled run may use: the budget, until the window closes.
JobCall Jobs::call_in_budget(const JobKind& kind) const {
  JobCall call;
  call.most_bytes = settings_.budget_bytes;
  call.most_time = settings_.budget_time;
  if (!kind.heeds_window) return call;
  if (const auto closes = settings_.window.closes(now(), settings_.zone())) {
    const std::chrono::nanoseconds left(*closes - now());
    call.most_time = call.most_time.count() > 0 ? std::min(call.most_time, left) : left;
  }
  return call;
}

}  // namespace cb::server
