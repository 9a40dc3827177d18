// SPDX-License-Identifier: Apache-2.0
//
// Days and their events; what goes wrong is in year_trouble.cpp.
#include "tests/year/year_course.h"

#include <algorithm>

namespace cb::year {

using repository::must;
using repository::Role;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

constexpr const char* kOperator = "uid 0 (root)";
constexpr const char* kOther = "uid 7 (eve)";

// By account; the last one has none, but four of its five sources have their own.
const std::array<Policy, kAccounts> kPolicies = {{
    {"keep-daily 7, keep-weekly 4, keep-monthly 12", 0, 7, 4, 12, 0, 0, false, 7},
    {"keep-last 5, keep-monthly 6, keep-tag "
     "7777777777777777777777777777777777777777777777777777777777777777, trash-stay 14d",
     5, 0, 0, 6, 0, 0, true, 14},
    {"keep-within 10d, keep-yearly 2, trash-stay 3d", 0, 0, 0, 0, 2, 10, false, 3},
    {},
}};
const Policy kOwn = {"keep-daily 3, keep-weekly 8", 0, 3, 8, 0, 0, 0, false, 7};
constexpr std::array<size_t, 4> kWithOwnRules = {3, 7, 11, 15};  // all of the last account

// Fewer runs, for a test that ends soon; and from December on those of a small busy server.
const std::map<std::string, std::string> kCalm = {
    {"retention", "every 48h"}, {"collect", "every 72h"}, {"compact", "every 72h"},
    {"verify", "every 240h"},   {"clean", "daily 05:00"}, {"watch", "every 2h"}};
const std::map<std::string, std::string> kDecember = {{"compact", "daily 04:00"},
                                                      {"verify", "every 240h"},
                                                      {"clean", "daily 05:00"},
                                                      {"watch", "every 2h"}};
constexpr int64_t kFirstOfDecember = 335;

HouseSettings house_settings(const CourseSettings& settings) {
  HouseSettings house;
  house.seed = settings.seed;
  house.begin = kBegin;
  house.limits.data_pack = 60'000;
  house.limits.node_pack = 20'000;
  house.limits.reserve = 512 * 1024;
  house.upkeep.jitter = minutes(5);
  house.upkeep.verify_age = 6 * kDay;
  return house;
}

}  // namespace

// Of the call that crashed, or of one after it.
bool tells_of_crash(const std::string& text) {
  return text.find(":crash@") != std::string::npos ||
         text.find("simulated crash") != std::string::npos;
}

Course::Course(const CourseSettings& settings)
    : settings_(settings), dice_(settings.seed), house_(house_settings(settings)) {
  must(house_.open());
  set_up();
  if (settings_.is_calm) house_.set_schedules(kCalm);
}

const Policy& Course::policy_of(size_t source) const {
  const bool has_own =
      std::find(kWithOwnRules.begin(), kWithOwnRules.end(), source) != kWithOwnRules.end();
  return has_own ? kOwn : kPolicies[sources_[source].account];
}

// A shorter stay in the trash is approved by another person at once.
void Course::set_rules(size_t account, const server::SourceKey& source, const std::string& text) {
  const auto change = must(house_.book().set_rules(repositories_[account], source,
                                                   must(retention::parse_rules(text)), kOperator));
  if (change.request) must(house_.book().approve(*change.request, kOther));
}

// Of each account's five sources two are of the owner's device, one of a writer that shares
// deduplication, two of writers that do not.
void Course::set_up() {
  std::array<std::array<repository::Viewer, 4>, kAccounts> devices{};
  for (size_t account = 0; account < kAccounts; ++account) {
    repositories_[account] = house_.create(account);
    for (uint8_t i = 0; i < 4; ++i)
      devices[account][i] =
          house_.add_device(account, i + 1, i == 0 ? Role::owner : Role::writer, i == 1);
    const std::string rules = kPolicies[account].text;
    if (!rules.empty()) set_rules(account, {}, rules);
  }
  constexpr std::array<size_t, kSources / kAccounts> kDevice = {0, 0, 1, 2, 3};
  for (size_t i = 0; i < kSources; ++i) {
    const size_t account = i % kAccounts;
    sources_.emplace_back(settings_.seed, i, account, devices[account][kDevice[i / kAccounts]],
                          settings_.pieces_of_image);
  }
  for (const size_t source : kWithOwnRules) {
    const Source& its = sources_[source];
    server::SourceKey key = to_bytes(its.device.device.view());
    key.insert(key.end(), its.hash.bytes.begin(), its.hash.bytes.end());
    set_rules(its.account, key, kOwn.text);
  }
}

void Course::run() {
  for (int64_t at = 0; at < kDays; ++at) day(at);
  run_jobs_until(kBegin + kDays * kDay + hours(20));
}

void Course::day(int64_t day) {
  if (settings_.is_calm && day == kFirstOfDecember) house_.set_schedules(kDecember);
  change_disk(day);
  rot(day);
  std::vector<Event> events = plan(day);
  add_trouble(day, events);
  std::stable_sort(events.begin(), events.end());
  for (Source& source : sources_)
    if (source.still_until_ns <= house_.clock().now().count()) source.work();
  const auto noon = kBegin + day * kDay + hours(12);
  bool is_operated = false;
  for (const Event& event : events) {
    if (!is_operated && event.time > noon) {
      run_jobs_until(noon);
      operate(day);
      is_operated = true;
    }
    run_jobs_until(event.time);
    // Who found no server for long comes again tomorrow.
    const bool is_plain = event.what == What::backup || event.what == What::slow_backup;
    if (!is_plain || house_.clock().now() < event.time + hours(3)) happen(event);
  }
  run_jobs_until(kBegin + (day + 1) * kDay - minutes(1));
}

// Each source has its hour; now and then one comes twice, or leaves a checkpoint first.
std::vector<Course::Event> Course::plan(int64_t day) {
  std::vector<Event> events;
  for (size_t source = 0; source < kSources; ++source) {
    const bool is_silent =
        source == silence_.source && day >= silence_.first_day && day < silence_.end_day;
    if (is_silent) continue;
    const auto at = kBegin + day * kDay + minutes(3 * 60 + source * 57 + dice_.below(50));
    if (dice_.one_in(60)) events.push_back({at - minutes(40), What::backup, source, true});
    events.push_back({at, dice_.one_in(8) ? What::slow_backup : What::backup, source});
    if (dice_.one_in(20)) events.push_back({at + minutes(50), What::backup, source});
  }
  return events;
}

// What a person does once a day: approves what waits, and pins what is dear.
void Course::operate(int64_t day) {
  for (const catalog::ApprovalRow& one : must(house_.book().requests()))
    if (one.approved_ns == 0) {
      must(house_.book().approve(one.number, kOther));
      ++tally_.approved;
    }
  if (day % 60 != 50 || snapshots_.empty()) return;
  Snapshot& dear = snapshots_.back();
  const auto& repository = repositories_[sources_[dear.source].account];
  must(house_.book().pin(repository, dear.id, 0, "dear", kOperator));
  dear.is_pinned = true;
}

void Course::run_jobs_until(std::chrono::nanoseconds time) {
  for (;;) {
    const auto due = house_.jobs().next_due();
    if (!due || *due > time.count()) break;
    house_.clock().go_to(std::chrono::nanoseconds(*due));
    house_.jobs().run_due();
  }
  house_.clock().go_to(time);
}

BackupOptions Course::options_for(const Event& event) {
  return {event.is_checkpoint, !event.is_checkpoint && dice_.one_in(70)};
}

void Course::happen(const Event& event) {
  switch (event.what) {
    case What::backup:
    case What::slow_backup:
      return back_up(event);
    case What::killed_backup:
      return kill_backup(event);
    case What::crashed_backup:
      return crash_during([&] { back_up(event); });
    case What::killed_jobs:
      go_to_job(event.time);
      kill_during(kJobPasses, [this] { return house_.jobs().run_due() > 0; });
      return;
    case What::crashed_jobs:
      go_to_job(event.time);
      return crash_during([this] { house_.jobs().run_due(); });
  }
}

// Jobs run beside a slow one.
void Course::back_up(const Event& event) {
  Source& source = sources_[event.source];
  Backup backup(house_, repositories_[source.account], source, options_for(event));
  Status done = backup.begin();
  if (done) done = backup.send_half();
  if (done && event.what == What::slow_backup)
    run_jobs_until(house_.clock().now() + minutes(60 + dice_.below(60)));
  if (done) done = backup.finish();
  take(backup, done);
}

void Course::take(const Backup& backup, const Status& done) {
  if (done) return acknowledge(backup.snapshot());
  if (done.error().code == Code::no_space && is_full_) {
    ++tally_.backups_full;
    return;
  }
  if (!tells_of_crash(done.error().text()))
    throw std::runtime_error("a backup failed: " + done.error().text());
  ++tally_.backups_crashed;
}

void Course::acknowledge(const Snapshot& snapshot) {
  snapshots_.push_back(snapshot);
  ++tally_.backups;
}

}  // namespace cb::year
