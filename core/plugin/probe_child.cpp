// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/probe_child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/plugin/probe.h"

namespace cb::plugin {
namespace {

// Above the numbers that the child uses, so that no dup2 there overwrites a source.
constexpr int kHighFd = 10;
constexpr size_t kMostSaid = 16U << 10;

Result<Descriptor> high(int fd) {
  Descriptor copy(::fcntl(fd, F_DUPFD_CLOEXEC, kHighFd));
  if (copy.get() < 0) return failed(fail_errno(errno, "plugin probe", "copying a descriptor"));
  return copy;
}

struct Pipe {
  Descriptor read_end, write_end;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
    return failed(fail_errno(errno, "plugin probe", "making a pipe"));
  Pipe pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  CB_ASSIGN(pipe.write_end, high(pipe.write_end.get()));
  return pipe;
}

// What a library may need to be loaded and to find its own files, and nothing else: the environment
// is where hosts are given passphrases and passwords, under names that only their configuration
// knows. The file that is tried is not trusted yet, and perhaps never will be.
bool is_for_strangers(std::string_view variable) {
  constexpr std::array<std::string_view, 6> kNames = {
      "PATH=", "HOME=", "TZ=", "TMPDIR=", "LANG=", "LANGUAGE="};
  constexpr std::array<std::string_view, 10> kBeginnings = {
      "LC_", "LD_", "OPENSSL_", "ASAN_", "LSAN_", "UBSAN_", "TSAN_", "LLVM_", "GCOV_", "FAKETIME"};
  const auto begins = [variable](std::string_view with) { return variable.starts_with(with); };
  return std::any_of(kNames.begin(), kNames.end(), begins) ||
         std::any_of(kBeginnings.begin(), kBeginnings.end(), begins);
}

std::vector<char*> environment_for_strangers() {
  std::vector<char*> all;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable)
    if (is_for_strangers(*variable)) all.push_back(*variable);
  all.push_back(nullptr);
  return all;
}

// What posix_spawn is to do in the child.
class SpawnPlan {
 public:
  SpawnPlan(int file_fd, int verdict_fd, int output_fd) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    for (const int standard : {STDOUT_FILENO, STDERR_FILENO})
      posix_spawn_file_actions_adddup2(&actions_, output_fd, standard);
    posix_spawn_file_actions_adddup2(&actions_, file_fd, kProbeFileFd);
    posix_spawn_file_actions_adddup2(&actions_, verdict_fd, kProbeVerdictFd);
    posix_spawnattr_init(&attributes_);
    // Its own group, so that what it starts can be ended with it; no signal blocked or ignored.
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes_, 0);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }

  Result<pid_t> start(const ProbePlan& plan) const {
    std::string name = plan.program.string();
    std::vector<std::string> given = plan.arguments;
    std::vector<char*> arguments = {name.data()};
    for (std::string& argument : given) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    pid_t child = 0;
    const int error = ::posix_spawn(&child, name.c_str(), &actions_, &attributes_, arguments.data(),
                                    environment_for_strangers().data());
    if (error == 0) return child;
    Error failure = fail_errno(error, "plugin probe " + name, "starting");
    return failed(std::move(failure).with_advice(
        "install that program again: without it, plugins that this host "
        "has not met are not loaded"));
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// A child that is killed and reaped at the end, whatever happens.
class Child {
 public:
  explicit Child(pid_t pid)
      : pid_(pid), pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }

  [[nodiscard]] int pidfd() const { return pidfd_.get(); }

  // Kills what is left of its group and returns its wait status (-1 if somebody else reaped it).
  int end() {
    if (pid_ <= 0) return -1;
    ::kill(-pid_, SIGKILL);
    int status = -1;
    while (::waitpid(pid_, &status, 0) < 0) {
      if (errno == EINTR) continue;
      status = -1;
      break;
    }
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_;
  Descriptor pidfd_;
};

// Takes what the pipe holds; false at its end.
bool drain(int fd, std::string& said) {
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    if (said.size() < kMostSaid) said.append(buffer.data(), static_cast<size_t>(n));
  }
}

// Waits for the child's end; false when the time is up.
Result<bool> wait_for(const Child& child, int pipe, std::string& said,
                      std::chrono::nanoseconds timeout) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + timeout;
  std::array<pollfd, 2> waits{pollfd{child.pidfd(), POLLIN, 0}, pollfd{pipe, POLLIN, 0}};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    const int ready = ::poll(waits.data(), waits.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return failed(fail_errno(errno, "plugin probe", "waiting"));
    if (ready <= 0) continue;
    if (waits[1].revents != 0 && !drain(pipe, said)) waits[1].fd = -1;
    if (waits[0].revents == 0) continue;
    drain(pipe, said);
    return true;
  }
}

}  // namespace

std::string signal_name(int signal_number) {
  const char* description = ::sigdescr_np(signal_number);
  return description == nullptr ? "unknown" : description;
}

Result<ProbeEnd> run_probe(const ProbePlan& plan) {
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const auto given = [&](int fd) { return high(fd >= 0 ? fd : nothing.get()); };
  CB_ASSIGN(const Descriptor file, given(plan.file_fd));
  CB_ASSIGN(const Descriptor output, given(plan.output_fd));
  CB_ASSIGN(Pipe pipe, make_pipe());
  CB_ASSIGN(const pid_t pid, SpawnPlan(file.get(), pipe.write_end.get(), output.get()).start(plan));
  Child child(pid);
  pipe.write_end = Descriptor();
  if (child.pidfd() < 0) return failed(fail_errno(errno, "plugin probe", "watching"));
  ProbeEnd result;
  CB_ASSIGN(const bool ended, wait_for(child, pipe.read_end.get(), result.said, plan.timeout));
  const int status = child.end();
  if (!ended) {
    result.kind = ProbeEnd::Kind::timed_out;
  } else if (status != -1 && WIFSIGNALED(status)) {
    result.kind = ProbeEnd::Kind::signalled;
    result.number = WTERMSIG(status);
  } else {
    result.number = status == -1 ? -1 : WEXITSTATUS(status);
  }
  return result;
}

}  // namespace cb::plugin
