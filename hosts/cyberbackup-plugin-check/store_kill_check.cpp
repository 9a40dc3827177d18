// SPDX-License-Identifier: Apache-2.0
//
// Stores: a process that is killed at random moments, again and again.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/plugin/probe_child.h"
#include "hosts/cyberbackup-plugin-check/store_checks.h"
#include "hosts/cyberbackup-plugin-check/store_kill_writer.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {
namespace {

using std::chrono::steady_clock;

constexpr int kRounds = 200;
constexpr int kFewestRounds = 40;
constexpr std::chrono::seconds kLongEnough(10);
constexpr std::chrono::microseconds kShortestDelay(1000);
constexpr std::chrono::microseconds kLongestDelay(200'000);

// One writer process at a time, and what its store may hold. The plugin is never loaded in this
// process, so that each writer begins like a process that was started anew.
class KillRun {
 public:
  explicit KillRun(Subject& subject) : subject_(subject) {
    for (uint32_t object = 0; object < kKillObjects; ++object) possible_[object] = {0};
  }

  // Starts a writer and kills it; what it found and did afterwards is in the model.
  Status round(bool while_opening);
  [[nodiscard]] uint64_t changes() const { return changes_; }

 private:
  Status start();
  Status watch(bool while_opening);
  void take(const Step& step);
  // Reads what is there; false at the end of the pipe.
  bool read_some();
  Status judge(int wait_status) const;
  std::chrono::microseconds any_delay();

  Subject& subject_;
  Possible possible_;
  uint32_t version_ = 1;  // above all that were used
  uint64_t changes_ = 0;

  // Of the round.
  pid_t child_ = -1;
  plugin::Descriptor pipe_;
  Bytes unread_;
  std::string wrong_;
  bool ready_ = false;
  bool is_wrong_ = false;
  bool killed_ = false;
  // So that a few changes fit in before the kill, however fast the store is.
  std::chrono::microseconds longest_ = std::chrono::microseconds(10'000);
};

Status KillRun::start() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return failed(fail_errno(errno, "pipe", "making one"));
  pipe_ = plugin::Descriptor(ends[0]);
  plugin::Descriptor writing(ends[1]);
  // The engine goes on, so that the next writer does something else.
  subject_.random().discard(1);
  child_ = ::fork();
  if (child_ < 0) return failed(fail_errno(errno, "process", "making one to be killed"));
  if (child_ > 0) return {};
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGPIPE, SIG_DFL);
  KillWriter(subject_, writing.get(), possible_, version_).run();
  ::_exit(0);
}

void KillRun::take(const Step& step) {
  version_ = std::max(version_, step.version + 1);
  switch (step.kind) {
    case Step::found:
      possible_[step.object] = {step.version};
      break;
    case Step::ready:
      ready_ = true;
      break;
    case Step::begins:
      possible_[step.object].insert(step.version);
      break;
    case Step::done:
      possible_[step.object] = {step.version};
      ++changes_;
      break;
    default:
      is_wrong_ = true;
  }
}

bool KillRun::read_some() {
  std::byte room[4096];
  ssize_t n = -1;
  do {
    n = ::read(pipe_.get(), room, sizeof room);
  } while (n < 0 && errno == EINTR);
  if (n <= 0) return false;
  unread_.insert(unread_.end(), room, room + n);
  size_t at = 0;
  while (!is_wrong_ && unread_.size() - at >= sizeof(Step)) {
    Step step;
    std::memcpy(&step, unread_.data() + at, sizeof step);
    at += sizeof step;
    take(step);
  }
  unread_.erase(unread_.begin(), unread_.begin() + static_cast<ptrdiff_t>(at));
  return true;
}

std::chrono::microseconds KillRun::any_delay() {
  return std::chrono::microseconds(subject_.random()() %
                                   static_cast<uint64_t>(longest_.count() + 1));
}

Status KillRun::watch(bool while_opening) {
  std::optional<steady_clock::time_point> kill_at;
  if (while_opening) kill_at = steady_clock::now() + any_delay();
  while (true) {
    if (ready_ && !kill_at) kill_at = steady_clock::now() + any_delay();
    const auto left = kill_at ? *kill_at - steady_clock::now() : std::chrono::hours(1);
    if (left <= std::chrono::nanoseconds(0)) break;
    pollfd poll{pipe_.get(), POLLIN, 0};
    const timespec time{left / std::chrono::seconds(1),
                        (left % std::chrono::seconds(1)) / std::chrono::nanoseconds(1)};
    const int n = ::ppoll(&poll, 1, &time, nullptr);
    if (n < 0 && errno != EINTR) return failed(fail_errno(errno, "pipe", "waiting for a writer"));
    if (n > 0 && !read_some()) return {};
  }
  killed_ = true;
  ::kill(child_, SIGKILL);
  while (read_some()) continue;
  return {};
}

Status KillRun::judge(int wait_status) const {
  if (is_wrong_) return found_wrong(std::string(as_text(unread_)));
  if (WIFSIGNALED(wait_status) && killed_ && WTERMSIG(wait_status) == SIGKILL) return {};
  if (WIFSIGNALED(wait_status))
    return found_wrong("the process that wrote died of signal " +
                       std::to_string(WTERMSIG(wait_status)) + " (" +
                       plugin::signal_name(WTERMSIG(wait_status)) + ")");
  return found_wrong("the process that wrote ended by itself with exit status " +
                     std::to_string(WEXITSTATUS(wait_status)));
}

Status KillRun::round(bool while_opening) {
  unread_.clear();
  ready_ = is_wrong_ = killed_ = false;
  const uint64_t before = changes_;
  CB_TRY(start());
  const Status watched = watch(while_opening);
  if (!watched) ::kill(child_, SIGKILL);
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) continue;
  CB_TRY(watched);
  CB_TRY(judge(status));
  if (while_opening) return {};
  if (changes_ - before < 2) longest_ = std::min(longest_ * 5 / 4, kLongestDelay);
  if (changes_ - before > 8) longest_ = std::max(longest_ * 4 / 5, kShortestDelay);
  return {};
}

}  // namespace

Result<Verdict> store_kill_during_put(Subject& subject) {
  KillRun run(subject);
  const auto begun = steady_clock::now();
  int rounds = 0;
  while (rounds < kRounds &&
         (rounds < kFewestRounds || steady_clock::now() - begun < kLongEnough)) {
    ++rounds;
    if (const Status went = run.round(rounds % 8 == 0); !went)
      return found_wrong(went.error().cause + " (round " + std::to_string(rounds) + ")");
  }
  CB_TRY(expect(run.changes() > 0, "nothing was ever committed before the kill"));
  return passed(std::to_string(rounds) + " rounds, " + std::to_string(run.changes()) +
                " changes committed");
}

}  // namespace cb::check
