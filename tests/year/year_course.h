// SPDX-License-Identifier: Apache-2.0
//
// The course of the simulated year: who backs up when, what goes wrong, and what the operator does.
// All of it follows from the seed. Throws where it cannot go on. Used by one thread.
#pragma once

#include <array>
#include <vector>

#include "tests/year/year_backup.h"
#include "tests/year/year_policy.h"

namespace cb::year {

struct CourseSettings {
  uint64_t seed = 0;
  uint64_t pieces_of_image = 70;  // of the big files
  bool is_calm = true;            // jobs run less often than by default, until December
};

constexpr size_t kAccounts = 4;
constexpr size_t kSources = 20;
// A Saturday, so that the Sunday after 365 days ends the year with all weekly jobs done.
constexpr std::chrono::nanoseconds kBegin =
    std::chrono::sys_days(std::chrono::year(2033) / 12 / 31).time_since_epoch();
constexpr int64_t kDays = 365;

// Days on which the store is full, the second of each pair left out.
constexpr std::array<std::pair<int64_t, int64_t>, 2> kFullDays = {{{100, 106}, {230, 236}}};

// A source that sends nothing from the tenth of October on, for nine days.
struct Silence {
  size_t source = 14;  // of an account that keeps all within some days
  int64_t first_day = 283, end_day = 292;
};

// What came of it, beside what lies in the house.
struct Tally {
  uint64_t backups = 0;          // that were acknowledged
  uint64_t backups_full = 0;     // refused because the store was full
  uint64_t backups_crashed = 0;  // broken by a store that crashed
  uint64_t kills = 0;            // of the server's process
  uint64_t kills_inside = 0;     // in the middle of a backup or a job
  uint64_t crashes = 0;          // of the store
  uint64_t unsaid = 0;           // snapshots that a killed server had committed without a word
  uint64_t rot = 0;              // bits that were turned
  uint64_t approved = 0;
};

// Is it an error of a store that was made to crash?
bool tells_of_crash(const std::string& text);

// So many passes of the kill point most runs of a job and most backups have.
constexpr uint64_t kJobPasses = 1024, kBackupPasses = 24;

class Course {
 public:
  explicit Course(const CourseSettings& settings);

  // The whole year, and the Sunday after it without a backup.
  void run();

  House& house() { return house_; }
  // In the order in which they were acknowledged.
  [[nodiscard]] const std::vector<Snapshot>& snapshots() const { return snapshots_; }
  [[nodiscard]] const Source& source(size_t number) const { return sources_[number]; }
  [[nodiscard]] const repository::RepositoryId& repository(size_t account) const {
    return repositories_[account];
  }
  [[nodiscard]] const Policy& policy_of(size_t source) const;
  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] const Silence& silence() const { return silence_; }

 private:
  enum class What { backup, slow_backup, killed_backup, crashed_backup, killed_jobs, crashed_jobs };
  struct Event {
    std::chrono::nanoseconds time{};
    What what = What::backup;
    size_t source = 0;
    bool is_checkpoint = false;
    bool operator<(const Event& other) const { return time < other.time; }
  };

  void set_up();
  void set_rules(size_t account, const server::SourceKey& source, const std::string& text);
  void day(int64_t day);
  std::vector<Event> plan(int64_t day);
  void add_trouble(int64_t day, std::vector<Event>& events);
  void change_disk(int64_t day);
  void rot(int64_t day);
  void operate(int64_t day);
  void happen(const Event& event);

  void run_jobs_until(std::chrono::nanoseconds time);
  // Puts the clock to when the next job is due, without running it.
  void go_to_job(std::chrono::nanoseconds time);
  BackupOptions options_for(const Event& event);
  void back_up(const Event& event);
  void take(const Backup& backup, const Status& done);
  void acknowledge(const Snapshot& snapshot);
  // Takes the house down, has `work` killed in a process of its own after at most so many passes
  // of the kill point, and brings it up again.
  // `work` tells when something was acknowledged by returning true.
  bool kill_during(uint64_t most_passes, const std::function<bool()>& work);
  [[noreturn]] void die_during(uint64_t passes, const std::function<bool()>& work, int out);
  void kill_backup(const Event& event);
  void crash_during(const std::function<void()>& work);
  void start_again();

  CourseSettings settings_;
  Dice dice_;
  House house_;
  std::vector<Source> sources_;
  std::array<repository::RepositoryId, kAccounts> repositories_{};
  std::vector<Snapshot> snapshots_;
  Silence silence_;
  std::vector<int64_t> bad_days_;  // of this week
  bool is_full_ = false;           // the store
  Tally tally_;
};

}  // namespace cb::year
