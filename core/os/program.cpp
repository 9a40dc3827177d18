// SPDX-License-Identifier: Apache-2.0
#include "core/os/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace cb::os {
namespace {

constexpr size_t kMostSaidByProgram = 4096;
constexpr auto kLookForCancel = std::chrono::milliseconds(100);
constexpr int kFirstOtherFd = 3;

// A descriptor that is closed.
class ProgramFd {
 public:
  explicit ProgramFd(int fd = -1) : fd_(fd) {}
  ProgramFd(const ProgramFd&) = delete;
  ProgramFd& operator=(const ProgramFd&) = delete;
  ~ProgramFd() { reset(); }
  [[nodiscard]] int get() const { return fd_; }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

// This side and the program's. Sockets, because a write to one whose reader has gone raises no
// signal when asked so.
struct ProgramLink {
  ProgramFd ours, theirs;

  Status open(const std::string& object) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
      return failed(fail_errno(errno, object, "making a pipe"));
    ours.reset(ends[0]);
    theirs.reset(ends[1]);
    if (::fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0)
      return failed(fail_errno(errno, object, "making a pipe"));
    return {};
  }
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// What posix_spawn does in the child.
class ProgramPlan {
 public:
  ProgramPlan(int input, int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, kFirstOtherFd);
    posix_spawn_file_actions_addchdir_np(&actions_, "/");
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes_, 0);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
  }
  ProgramPlan(const ProgramPlan&) = delete;
  ProgramPlan& operator=(const ProgramPlan&) = delete;
  ~ProgramPlan() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }

  Result<pid_t> start(const ProgramCall& call) const {
    std::vector<std::string> words = call.command, variables = call.environment;
    pid_t child = 0;
    const int error = ::posix_spawn(&child, words.at(0).c_str(), &actions_, &attributes_,
                                    pointers_to(words).data(), pointers_to(variables).data());
    if (error == 0) return child;
    return failed(fail_errno(error, call.command.at(0), "starting it"));
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// Killed with its group and reaped at the end, whatever happens.
class RunningProgram {
 public:
  explicit RunningProgram(pid_t pid)
      : pid_(pid), watch_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;
  ~RunningProgram() { end(); }

  [[nodiscard]] int watch() const { return watch_.get(); }

  // The wait status; -1 when somebody else reaped it.
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
  ProgramFd watch_;
};

// What goes in and comes out while it runs.
class ProgramTalk {
 public:
  ProgramTalk(const ProgramCall& call, ProgramLink& input, ProgramLink& output)
      : call_(call), input_(input), output_(output) {
    if (call.input.empty()) input_.ours.reset();
  }

  // Until it has ended, or may not run on.
  Result<ProgramEnd::Kind> wait(const RunningProgram& program) {
    using Steady = std::chrono::steady_clock;
    const auto deadline = Steady::now() + call_.timeout;
    for (;;) {
      if (call_.is_cancelled && call_.is_cancelled()) return ProgramEnd::Kind::cancelled;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now());
      if (left.count() <= 0) return ProgramEnd::Kind::timed_out;
      std::array<pollfd, 3> waits{pollfd{program.watch(), POLLIN, 0},
                                  pollfd{input_.ours.get(), POLLOUT, 0},
                                  pollfd{output_.ours.get(), POLLIN, 0}};
      const auto step = static_cast<int>(std::min(left, kLookForCancel).count());
      if (::poll(waits.data(), waits.size(), step) < 0 && errno != EINTR)
        return failed(fail_errno(errno, call_.command.at(0), "waiting for it"));
      if (waits[1].revents != 0) write_some();
      if (waits[2].revents != 0) read_some();
      if (waits[0].revents == 0) continue;
      if (output_.ours.get() >= 0) read_some();
      return ProgramEnd::Kind::exited;
    }
  }

  std::string said() { return std::move(said_); }

 private:
  void write_some() {
    const std::string_view rest = std::string_view(call_.input).substr(written_);
    const ssize_t count = ::send(input_.ours.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count > 0) written_ += static_cast<size_t>(count);
    // It need not read on.
    if (count < 0 || written_ == call_.input.size()) input_.ours.reset();
  }

  void read_some() {
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t count = ::read(output_.ours.get(), buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count == 0 || (count < 0 && errno != EAGAIN)) output_.ours.reset();
      if (count <= 0) return;
      const size_t room = kMostSaidByProgram - said_.size();
      said_.append(buffer.data(), std::min(room, static_cast<size_t>(count)));
    }
  }

  const ProgramCall& call_;
  ProgramLink& input_;
  ProgramLink& output_;
  size_t written_ = 0;
  std::string said_;
};

}  // namespace

Result<ProgramEnd> run_program(const ProgramCall& call) {
  if (call.command.empty() || !call.command[0].starts_with('/'))
    return failed(Code::invalid, "command", "does not begin with an absolute path");
  ProgramLink input, output;
  CB_TRY(input.open(call.command[0]));
  CB_TRY(output.open(call.command[0]));
  CB_ASSIGN(const pid_t pid, ProgramPlan(input.theirs.get(), output.theirs.get()).start(call));
  RunningProgram program(pid);
  input.theirs.reset();
  output.theirs.reset();
  if (program.watch() < 0) return failed(fail_errno(errno, call.command[0], "watching it"));
  ProgramTalk talk(call, input, output);
  ProgramEnd end;
  CB_ASSIGN(end.kind, talk.wait(program));
  const int status = program.end();
  end.said = talk.said();
  if (end.kind != ProgramEnd::Kind::exited) return end;
  if (status != -1 && WIFSIGNALED(status)) {
    end.kind = ProgramEnd::Kind::signalled;
    end.number = WTERMSIG(status);
  } else {
    end.number = status == -1 ? -1 : WEXITSTATUS(status);
  }
  return end;
}

}  // namespace cb::os
