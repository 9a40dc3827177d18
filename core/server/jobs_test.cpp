// SPDX-License-Identifier: Apache-2.0
//
// The scheduler on a clock that tests put forward, over the real catalog.
#include "core/server/jobs.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <random>

#include "core/log/capture.h"
#include "core/server/stopped_clock.h"

namespace cb::server {
namespace {

using catalog::JobOutcome;
using std::chrono::hours;
using std::chrono::minutes;

class SeededRandom final : public os::Random {
 public:
  Status fill(ByteSpan out) override {
    for (std::byte& byte : out) byte = static_cast<std::byte>(engine_());
    return {};
  }

 private:
  std::mt19937_64 engine_{5};
};

class JobsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "cb-jobs-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    auto catalog = catalog::open_sqlite_catalog((folder_ / "catalog.sqlite").string(), true);
    ASSERT_TRUE(catalog);
    catalog_ = std::move(*catalog);
  }
  void TearDown() override {
    jobs_.reset();
    catalog_.reset();
    std::filesystem::remove_all(folder_);
  }

  // Adds a job that notes when it runs and then does `run`.
  void add(const std::string& name, const std::string& schedule, JobFunction run = {}) {
    kinds_.push_back({name, "a job of the test",
                      [this, name, run](const JobCall& call) -> Result<JobResult> {
                        EXPECT_EQ(running_.fetch_add(1), 0) << "jobs overlap";
                        const std::lock_guard lock(mutex_);
                        ran_.emplace_back(name, clock_.wall().count());
                        Result<JobResult> result = run ? run(call) : JobResult{"did it", {}};
                        --running_;
                        return result;
                      },
                      schedule});
  }
  void open() {
    auto jobs = Jobs::open({&catalog_->jobs(), &clock_, &random_, &log_, nullptr, nullptr,
                            [this](bool writes) { return writes ? held_ : std::string(); }},
                           kinds_, settings_);
    ASSERT_TRUE(jobs) << jobs.error().text();
    jobs_ = std::move(*jobs);
  }
  // Goes forward from one due job to the next and runs them all.
  void run_for(std::chrono::nanoseconds time) {
    const int64_t end = clock_.wall().count() + time.count();
    while (true) {
      const auto due = jobs_->next_due();
      if (!due || *due > end) break;
      if (*due > clock_.wall().count())
        clock_.forward(std::chrono::nanoseconds(*due - clock_.wall().count()));
      jobs_->run_due();
    }
    clock_.forward(std::chrono::nanoseconds(end - clock_.wall().count()));
  }
  size_t runs_of(const std::string& name) const {
    return static_cast<size_t>(std::count_if(ran_.begin(), ran_.end(),
                                             [&](const auto& run) { return run.first == name; }));
  }
  catalog::JobRun newest(const std::string& name) {
    const auto runs = catalog_->jobs().history(name, 0, 1);
    EXPECT_TRUE(runs && runs->size() == 1);
    return runs && !runs->empty() ? runs->front() : catalog::JobRun();
  }

  std::filesystem::path folder_;
  std::unique_ptr<catalog::Catalog> catalog_;
  StoppedClock clock_;
  SeededRandom random_;
  log::Capture log_;
  UpkeepSettings settings_;
  std::string held_;  // why jobs that write may not run
  std::vector<JobKind> kinds_;
  std::atomic<int> running_{0};
  std::mutex mutex_;
  std::vector<std::pair<std::string, int64_t>> ran_;
  std::unique_ptr<Jobs> jobs_;  // goes first
};

TEST_F(JobsTest, a_year_of_jobs_runs_each_when_it_is_due) {
  add("daily", "daily 02:30");
  add("weekly", "weekly sun 03:00");
  add("often", "every 6h");
  add("never", "off");
  settings_.jitter = minutes(5);
  open();
  run_for(hours(24 * 365));
  EXPECT_EQ(runs_of("daily"), 365U);
  EXPECT_EQ(runs_of("weekly"), 52U);
  EXPECT_EQ(runs_of("often"), 4U * 365);
  EXPECT_EQ(runs_of("never"), 0U);
  const auto runs = catalog_->jobs().history("daily", 0, 1000);
  ASSERT_EQ(runs->size(), 365U);
  for (const catalog::JobRun& run : *runs) {
    EXPECT_EQ(run.outcome, JobOutcome::done);
    EXPECT_EQ(run.asked_by, "schedule");
    EXPECT_GE(run.begun_ns, run.due_ns);
    EXPECT_LE(std::chrono::nanoseconds(run.begun_ns - run.due_ns), minutes(5));
  }
}

TEST_F(JobsTest, what_was_missed_is_done_once_after_the_downtime) {
  add("daily", "daily 02:30");
  open();
  run_for(hours(48));
  jobs_.reset();
  clock_.forward(hours(24 * 10 + 3));
  const size_t before = runs_of("daily");
  open();
  EXPECT_EQ(jobs_->run_due(), 1U);
  EXPECT_EQ(jobs_->run_due(), 0U);
  run_for(hours(24));
  EXPECT_EQ(runs_of("daily"), before + 2);
}

TEST_F(JobsTest, a_new_job_is_not_taken_for_one_that_was_missed) {
  add("daily", "daily 02:30");
  open();
  EXPECT_EQ(jobs_->run_due(), 0U);
  EXPECT_LE(*jobs_->next_due() - clock_.wall().count(),
            std::chrono::nanoseconds(hours(24)).count());
}

TEST_F(JobsTest, a_job_that_never_ran_is_missed_once_others_have_run_for_long) {
  add("often", "hourly");
  open();
  run_for(hours(24 * 8));
  add("weekly", "weekly sun 03:00");
  jobs_.reset();
  open();
  jobs_->run_due();
  EXPECT_EQ(runs_of("weekly"), 1U);
}

TEST_F(JobsTest, an_interrupted_run_is_made_up_for_but_not_at_each_start) {
  add("daily", "daily 02:30");
  open();
  const int64_t due = *jobs_->next_due();
  run_for(hours(25));
  catalog::JobRun run;
  run.job = "daily";
  run.asked_by = "schedule";
  run.due_ns = due;
  run.begun_ns = clock_.wall().count();
  ASSERT_TRUE(catalog_->jobs().begin(run));  // and the daemon is killed
  open();
  EXPECT_EQ(newest("daily").outcome, JobOutcome::interrupted);
  EXPECT_LE(*jobs_->next_due(), clock_.wall().count());
  run.begun_ns = clock_.wall().count();
  ASSERT_TRUE(catalog_->jobs().begin(run));  // and once more
  open();
  EXPECT_GT(*jobs_->next_due(), clock_.wall().count());
}

TEST_F(JobsTest, several_that_are_due_run_one_after_the_other_the_longest_due_first) {
  add("second", "daily 02:30");
  add("first", "daily 01:00");
  open();
  clock_.forward(hours(24 + 6));
  EXPECT_EQ(jobs_->run_due(), 2U);
  EXPECT_EQ(ran_[0].first, "first");
  EXPECT_EQ(ran_[1].first, "second");
}

TEST_F(JobsTest, jobs_run_inside_the_window_and_end_with_it) {
  std::chrono::nanoseconds most{};
  add("often", "every 3h", [&](const JobCall& call) -> Result<JobResult> {
    most = std::max(most, call.most_time);
    return JobResult{"did it", {}};
  });
  settings_.window = *schedule::Window::parse("22:00-06:00");
  open();
  run_for(hours(24 * 20));
  EXPECT_GE(runs_of("often"), 3U * 19);  // at 22:00 for those by day, and at 00:00 and 03:00
  for (const auto& [name, when] : ran_) {
    const int64_t hour = when / std::chrono::nanoseconds(hours(1)).count() % 24;
    EXPECT_TRUE(hour >= 22 || hour < 6) << hour;
  }
  EXPECT_LE(most, hours(8));
  EXPECT_GT(most, hours(0));
}

TEST_F(JobsTest, a_scheduled_run_has_the_budget_and_one_that_is_asked_for_its_own) {
  std::vector<JobCall> calls;
  add("verify", "daily 02:30", [&](const JobCall& call) -> Result<JobResult> {
    calls.push_back(call);
    JobResult result{"read some", {{"packs", 3}}};
    result.is_short = true;
    return result;
  });
  settings_.budget_bytes = 1000;
  settings_.budget_time = minutes(30);
  open();
  run_for(hours(25));
  JobCall call;
  call.account = "alice";
  call.asked_by = "uid 0 (root)";
  const auto report = jobs_->run("verify", call);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->result.is_short);
  ASSERT_GE(calls.size(), 2U);
  EXPECT_EQ(calls.front().most_bytes, 1000U);
  EXPECT_EQ(calls.front().most_time, minutes(30));
  EXPECT_EQ(calls.back().most_bytes, 0U);
  const report::Json kept = json_of(newest("verify"));
  EXPECT_EQ(kept["account"], "alice");
  EXPECT_EQ(kept["short"], true);
  EXPECT_EQ(kept["result"]["packs"], 3);
  EXPECT_EQ(kept["asked_by"], "uid 0 (root)");
}

TEST_F(JobsTest, one_that_overdraws_its_time_is_told_to_end) {
  bool went_on = true;
  add("slow", "daily 02:30", [&](const JobCall& call) -> Result<JobResult> {
    clock_.forward(minutes(29));
    EXPECT_TRUE(call.progress(1, 2, "packs"));
    clock_.forward(minutes(3));
    went_on = call.progress(2, 2, "packs");
    return failed(Code::cancelled, "slow", "was stopped");
  });
  settings_.budget_time = minutes(30);
  open();
  clock_.forward(hours(24));
  EXPECT_EQ(jobs_->run_due(), 1U);
  EXPECT_FALSE(went_on);
  EXPECT_EQ(newest("slow").outcome, JobOutcome::done);
  EXPECT_EQ(json_of(newest("slow"))["short"], true);
}

TEST_F(JobsTest, a_failed_job_is_kept_with_its_reason_and_waits_for_its_next_time) {
  add("bad", "daily 02:30", [](const JobCall&) -> Result<JobResult> {
    return failed(Code::io, "disk", "is broken", "replace it");
  });
  add("throws", "off", [](const JobCall&) -> Result<JobResult> { throw std::bad_alloc(); });
  open();
  clock_.forward(hours(24));
  EXPECT_EQ(jobs_->run_due(), 1U);
  EXPECT_EQ(jobs_->run_due(), 0U);
  EXPECT_EQ(newest("bad").outcome, JobOutcome::failed);
  EXPECT_NE(newest("bad").summary.find("replace it"), std::string::npos);
  EXPECT_EQ(jobs_->run("throws", {})->outcome, JobOutcome::failed);
  EXPECT_EQ(log_.count("error event=job.end"), 2U);
}

TEST_F(JobsTest, one_that_needs_a_decision_is_kept_as_such) {
  add("retention", "daily 02:30", [](const JobCall&) -> Result<JobResult> {
    JobResult result{"would remove 9 of 10", {}};
    result.asks = true;
    return result;
  });
  open();
  EXPECT_EQ(jobs_->run("retention", {})->outcome, JobOutcome::asks);
  EXPECT_EQ((*jobs_->list())[0]["last"]["outcome"], "asks");
}

TEST_F(JobsTest, a_dry_run_leaves_no_trace_in_the_history) {
  add("collect", "daily 02:30");
  open();
  JobCall call;
  call.dry_run = true;
  EXPECT_EQ(jobs_->run("collect", call)->number, 0);
  EXPECT_TRUE(catalog_->jobs().history("collect", 0, 9)->empty());
}

TEST_F(JobsTest, unknown_jobs_are_named) {
  add("collect", "daily 02:30");
  open();
  const auto report = jobs_->run("colect", {});
  EXPECT_EQ(report.error().code, Code::not_found);
  EXPECT_NE(report.error().advice.find("collect"), std::string::npos);
  EXPECT_EQ(jobs_->history("colect", 0, 9).error().code, Code::not_found);
  EXPECT_EQ(jobs_->cancel("collect").error().code, Code::state);
}

TEST_F(JobsTest, other_times_count_at_once) {
  add("daily", "daily 02:30");
  open();
  settings_.schedules["daily"] = *schedule::Schedule::parse("off");
  jobs_->reconfigure(settings_);
  EXPECT_FALSE(jobs_->next_due());
  settings_.schedules["daily"] = *schedule::Schedule::parse("every 1m");
  jobs_->reconfigure(settings_);
  run_for(hours(1));
  EXPECT_GE(runs_of("daily"), 59U);
  EXPECT_EQ((*jobs_->list())[0]["schedule"], "every 1m");
}

TEST_F(JobsTest, a_clock_that_went_back_keeps_no_job_waiting_for_years) {
  add("daily", "daily 02:30");
  clock_.forward(hours(24 * 365 * 4));
  open();
  run_for(hours(48));
  clock_.forward(-hours(24 * 365 * 4));
  EXPECT_LE(*jobs_->next_due() - clock_.wall().count(),
            std::chrono::nanoseconds(hours(25)).count());
  const size_t before = runs_of("daily");
  run_for(hours(24 * 7));
  EXPECT_GE(runs_of("daily"), before + 6);
}

// A job that waits until the test says so.
struct Held {
  std::promise<void> began;
  std::atomic<bool> ended{false};
  JobFunction function() {
    return [this](const JobCall& call) -> Result<JobResult> {
      began.set_value();
      while (call.progress(3, 9, "packs")) std::this_thread::yield();
      ended = true;
      return failed(Code::cancelled, "job", "was stopped");
    };
  }
};

TEST_F(JobsTest, one_can_be_cancelled_and_tells_how_far_it_is) {
  Held held;
  add("verify", "off", held.function());
  open();
  auto report = std::async(std::launch::async, [&] { return jobs_->run("verify", {}); });
  held.began.get_future().wait();
  report::Json running = report::Json::object();
  while (running.value("done", 0) != 3)
    running = (*jobs_->list())[0].value("running", report::Json::object());
  EXPECT_EQ(running["total"], 9);
  EXPECT_EQ(running["unit"], "packs");
  EXPECT_TRUE(jobs_->cancel("verify"));
  EXPECT_EQ(report.get()->outcome, JobOutcome::cancelled);
  EXPECT_EQ(newest("verify").outcome, JobOutcome::cancelled);
}

TEST_F(JobsTest, who_waits_for_its_turn_may_go_away) {
  Held held;
  add("verify", "off", held.function());
  add("collect", "off");
  open();
  auto first = std::async(std::launch::async, [&] { return jobs_->run("verify", {}); });
  held.began.get_future().wait();
  JobCall call;
  call.progress = [](uint64_t, uint64_t, const std::string&) { return false; };
  EXPECT_EQ(jobs_->run("collect", call).error().code, Code::cancelled);
  auto waits = std::async(std::launch::async, [&] { return jobs_->run("collect", {}); });
  EXPECT_TRUE(jobs_->cancel("verify"));
  EXPECT_EQ(waits.get()->outcome, JobOutcome::done);
  EXPECT_EQ(first.get()->outcome, JobOutcome::cancelled);
  EXPECT_EQ(runs_of("collect"), 1U);
}

TEST_F(JobsTest, the_end_of_the_daemon_interrupts_what_runs_and_lets_nothing_begin) {
  Held held;
  add("verify", "daily 02:30", held.function());
  open();
  clock_.forward(hours(24));
  jobs_->start();
  held.began.get_future().wait();
  auto waits = std::async(std::launch::async, [&] { return jobs_->run("verify", {}); });
  jobs_->stop();
  EXPECT_TRUE(held.ended);
  EXPECT_EQ(waits.get().error().code, Code::cancelled);
  EXPECT_EQ(newest("verify").outcome, JobOutcome::interrupted);
  EXPECT_EQ(jobs_->run("verify", {}).error().code, Code::cancelled);
}

TEST_F(JobsTest, a_job_that_does_not_heed_the_window_runs_at_any_time) {
  add("light", "every 15m");
  kinds_.back().heeds_window = false;
  settings_.window = *schedule::Window::parse("22:00-06:00");
  open();
  run_for(hours(24));
  EXPECT_EQ(runs_of("light"), 4U * 24);
}

TEST_F(JobsTest, idle_runs_leave_one_row_and_no_audit_record) {
  Audit audit({&catalog_->audit(), &clock_, &log_});
  bool idle = true;
  add("light", "every 15m", [&](const JobCall&) -> Result<JobResult> {
    JobResult result;
    result.summary = idle ? "nothing" : "something";
    result.is_idle = idle;
    return result;
  });
  auto jobs = Jobs::open({&catalog_->jobs(), &clock_, &random_, &log_, &audit}, kinds_, settings_);
  ASSERT_TRUE(jobs);
  jobs_ = std::move(*jobs);
  run_for(hours(2));
  EXPECT_EQ(catalog_->jobs().history("light", 0, 99)->size(), 1U);
  EXPECT_EQ(audit.head().sequence, 0U);
  ASSERT_TRUE(jobs_->run("light", {}));
  EXPECT_EQ(audit.head().sequence, 1U) << "a person asked";
  idle = false;
  run_for(minutes(15));
  EXPECT_EQ(audit.head().sequence, 2U);
  EXPECT_EQ(catalog_->jobs().history("light", 0, 99)->size(), 3U);
  jobs_.reset();
}

// Keeps what it is given.
class EventBox final : public EventSink {
 public:
  void post(Event event) override { kinds.push_back(event.kind + ": " + event.subject); }
  std::vector<std::string> kinds;
};

TEST_F(JobsTest, a_job_that_fails_is_told_of_once_until_it_is_well) {
  EventBox box;
  Alarms alarms({&catalog_->sources(), &box, &clock_, &log_});
  bool fails = true;
  add("verify", "hourly", [&](const JobCall&) -> Result<JobResult> {
    if (fails) return failed(Code::io, "store", "cannot be read");
    return JobResult{"all whole", {}};
  });
  auto jobs = Jobs::open({&catalog_->jobs(), &clock_, &random_, &log_, nullptr, &alarms}, kinds_,
                         settings_);
  ASSERT_TRUE(jobs);
  jobs_ = std::move(*jobs);
  ASSERT_TRUE(jobs_->run("verify", {}));
  EXPECT_TRUE(box.kinds.empty()) << "a person sees what came of it";
  run_for(hours(5));
  EXPECT_EQ(box.kinds, std::vector<std::string>{"job.failed: job verify failed"});
  fails = false;
  run_for(hours(5));
  EXPECT_EQ(box.kinds.size(), 2U);
  EXPECT_EQ(box.kinds.back(), "job.well: job verify runs again");
  jobs_.reset();
}

TEST_F(JobsTest, an_alarm_is_told_once_when_the_catalog_cannot_be_written_either) {
  EventBox box;
  Alarms alarms({&catalog_->sources(), &box, &clock_, &log_});
  // The data base lost what it needs for it.
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open((folder_ / "catalog.sqlite").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "DROP TABLE alarm", nullptr, nullptr, nullptr), SQLITE_OK);
  Event full;
  full.kind = event::kStoreFull;
  for (int time = 0; time < 3; ++time) alarms.raise("store.full", full);
  EXPECT_EQ(box.kinds.size(), 1U);
  EXPECT_TRUE(alarms.clear("store.full"));
  EXPECT_FALSE(alarms.clear("store.full"));
  sqlite3_close(other);
}

TEST_F(JobsTest, a_held_job_waits_says_why_and_is_made_up_for) {
  add("sweep", "daily 02:30");
  add("look", "daily 02:30");
  kinds_.back().writes = false;
  open();
  held_ = "the store is read-only";
  run_for(hours(72));
  EXPECT_EQ(runs_of("sweep"), 0U);
  EXPECT_EQ(runs_of("look"), 3U);
  const auto list = jobs_->list();
  ASSERT_TRUE(list);
  EXPECT_EQ((*list)[0]["held"], held_);
  EXPECT_FALSE((*list)[1].contains("held"));
  const auto refused = jobs_->run("sweep", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::busy);
  JobCall dry;
  dry.dry_run = true;
  EXPECT_TRUE(jobs_->run("sweep", dry));
  held_.clear();
  run_for(hours(1));
  EXPECT_EQ(runs_of("sweep"), 2U) << "the dry run, and the one that was missed";
}

TEST_F(JobsTest, a_running_job_ends_soon_when_it_is_held_and_goes_on_later) {
  add("sweep", "off", [this](const JobCall& call) -> Result<JobResult> {
    EXPECT_TRUE(call.progress(1, 2, "packs"));
    held_ = "the store is offline";
    EXPECT_FALSE(call.progress(2, 2, "packs"));
    return failed(Code::cancelled, "sweep", "stopped");
  });
  open();
  const auto report = jobs_->run("sweep", {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, JobOutcome::done);
  EXPECT_TRUE(report->result.is_short);
  EXPECT_EQ(report->result.summary, "the store is offline; a later run goes on");
}

}  // namespace
}  // namespace cb::server
