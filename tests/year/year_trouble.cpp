// SPDX-License-Identifier: Apache-2.0
//
// What goes wrong in the simulated year: a full disk, bits that turn, killed processes, a store
// that crashes.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "core/repository/pack.h"
#include "tests/year/year_course.h"

namespace cb::year {

using repository::must;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

constexpr uint64_t kRoomLeft = 20 * 1024;
constexpr std::array<int64_t, 4> kRotDays = {45, 150, 200, 310};
constexpr int kKillsAWeek = 3;
constexpr int kPassesOfAnAnswer = 3;
// When the longer jobs are due, of a day.
constexpr std::array<int, 4> kJobHours = {2, 4, 0, 12};

// What the child writes: that something was acknowledged, and that it came to the end.
constexpr char kAcknowledged = 'a', kEnded = 'e';

void say(int out, char what) {
  if (::write(out, &what, 1) != 1) ::_exit(4);
}

}  // namespace

void Course::change_disk(int64_t day) {
  for (const auto& [first, end] : kFullDays) {
    if (day != first && day != end) continue;
    is_full_ = day == first;
    house_.limit_room(is_full_ ? std::optional(kRoomLeft) : std::nullopt);
  }
}

// A bit of what the newest snapshot of a source needs. Nothing changes on the source until it must
// be found and sent again.
void Course::rot(int64_t day) {
  if (std::find(kRotDays.begin(), kRotDays.end(), day) == kRotDays.end()) return;
  Source& source = sources_[dice_.below(kSources)];
  const auto newest =
      std::find_if(snapshots_.rbegin(), snapshots_.rend(),
                   [&](const Snapshot& one) { return one.source == source.number; });
  const auto& id = repositories_[source.account];
  const int64_t number = must(house_.catalog().index().repository(id.bytes))->number;
  const std::array<catalog::Bytes32, 1> root = {newest->root.bytes};
  const auto places =
      must(house_.catalog().index().places(number, {catalog::kOpenDomain, true}, root));
  const catalog::BlobPlace& place = places.at(0);
  house_.flip_bit(
      repository::pack_object(id, repository::PackName{place.pack}),
      place.offset + repository::record_size(place.child_count) + dice_.below(place.size));
  source.still_until_ns = (house_.clock().now() + 14 * kDay).count();
  ++tally_.rot;
}

// Three days of each week; most kills hit a process, every third a store.
void Course::add_trouble(int64_t day, std::vector<Event>& events) {
  if (day % 7 == 0) {
    bad_days_.clear();
    while (bad_days_.size() < kKillsAWeek) {
      const int64_t one = day + static_cast<int64_t>(dice_.below(7));
      if (std::find(bad_days_.begin(), bad_days_.end(), one) == bad_days_.end())
        bad_days_.push_back(one);
    }
  }
  if (std::find(bad_days_.begin(), bad_days_.end(), day) == bad_days_.end()) return;
  const bool is_of_store = dice_.one_in(3);
  if (dice_.one_in(2)) {
    Event& hit = events[dice_.below(events.size())];
    hit.what = is_of_store ? What::crashed_backup : What::killed_backup;
    return;
  }
  const auto at = kBegin + day * kDay + hours(kJobHours[dice_.below(kJobHours.size())]);
  events.push_back({at - minutes(1), is_of_store ? What::crashed_jobs : What::killed_jobs, 0});
}

void Course::go_to_job(std::chrono::nanoseconds time) {
  house_.clock().go_to(time);
  if (const auto due = house_.jobs().next_due())
    house_.clock().go_to(std::chrono::nanoseconds(*due));
}

// The child: lives until the kill point is passed so often, or until all is done and told.
void Course::die_during(uint64_t passes, const std::function<bool()>& work, int out) {
  try {
    must(house_.open());
    house_.kill_point().arm(passes);
    const bool is_done = work();
    // On its way to who asked for it.
    for (int i = 0; i < kPassesOfAnAnswer; ++i) house_.kill_point().pass();
    if (is_done) say(out, kAcknowledged);
    say(out, kEnded);
    ::kill(::getpid(), SIGKILL);
  } catch (const std::exception& error) {
    static_cast<void>(!::write(2, error.what(), std::strlen(error.what())));
  }
  ::_exit(3);
}

// As often soon as late.
bool Course::kill_during(uint64_t most_passes, const std::function<bool()>& work) {
  uint64_t most = most_passes;
  while (most > 1 && dice_.one_in(2)) most /= 2;
  const uint64_t passes = 1 + dice_.below(most);
  house_.close();
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) throw std::runtime_error("no pipe");
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) {
    ::close(pipe[0]);
    die_during(passes, work, pipe[1]);
  }
  house_.note_other_opening();
  ::close(pipe[1]);
  std::string told;
  for (char what = 0; ::read(pipe[0], &what, 1) == 1;) told += what;
  ::close(pipe[0]);
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
    throw std::runtime_error("a process ended by itself before it was killed");
  ++tally_.kills;
  tally_.kills_inside += told.find(kEnded) == std::string::npos ? 1 : 0;
  start_again();
  return told.find(kAcknowledged) != std::string::npos;
}

// Mostly soon; sometimes nobody looks for more than a day.
void Course::start_again() {
  const auto away =
      dice_.one_in(12) ? minutes(30 * 60 + dice_.below(600)) : minutes(1 + dice_.below(60));
  house_.close();
  house_.clock().forward(away);
  must(house_.open());
}

// What it had committed without a word counts as any other from then on.
void Course::kill_backup(const Event& event) {
  Source& source = sources_[event.source];
  Backup backup(house_, repositories_[source.account], source, options_for(event));
  bool is_full = false;
  const bool acknowledged = kill_during(kBackupPasses, [&] {
    const Status done = backup.run();
    is_full = !done && done.error().code == Code::no_space && is_full_;
    if (!done && !is_full) must(done);
    return done.has_value();
  });
  for (const auto& info : must(house_.engine().snapshots(repositories_[source.account], true)))
    if (info.commit.snapshot == backup.snapshot().id) {
      Snapshot snapshot = backup.snapshot();
      snapshot.time_ns = info.commit.time_ns;
      snapshot.sequence = info.commit.sequence;
      acknowledge(snapshot);
      tally_.unsaid += acknowledged ? 0 : 1;
      return;
    }
  if (acknowledged) throw std::runtime_error("a kill took an acknowledged snapshot away");
}

// The store fails from some call on, and everything that was open is dropped.
void Course::crash_during(const std::function<void()>& work) {
  const uint64_t call = 1 + dice_.below(uint64_t{1} << dice_.below(8));
  house_.set_faults("any:crash@" + std::to_string(call) + "-");
  work();
  ++tally_.crashes;
  start_again();
}

}  // namespace cb::year
