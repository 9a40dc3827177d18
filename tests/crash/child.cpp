// SPDX-License-Identifier: Apache-2.0
//
// See child.h.
#include "tests/crash/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "tests/folders.h"

namespace cb::test {

Child::Child(const std::string& plugin, const os::Path& folder, const std::string& mode,
             uint64_t seed) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) std::abort();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::vector<std::string> words = {test::program("store_driver"), plugin, folder.string(), mode,
                                    std::to_string(seed)};
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  if (::posix_spawn(&pid_, words[0].c_str(), &actions, nullptr, pointers.data(), environ) != 0)
    std::abort();
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  to_child_ = in[1];
  from_child_ = out[0];
}

Child::~Child() {
  if (pid_ > 0) {
    kill();
    wait();
  }
  ::close(to_child_);
  ::close(from_child_);
}

bool Child::read_line(std::string& line, std::chrono::milliseconds patience) {
  for (;;) {
    const size_t end = unread_.find('\n');
    if (end != std::string::npos) {
      line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return true;
    }
    struct pollfd wanted {
      from_child_, POLLIN, 0
    };
    if (::poll(&wanted, 1, static_cast<int>(patience.count())) <= 0) return false;
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(from_child_, buffer.data(), buffer.size());
    if (got <= 0) return false;
    unread_.append(buffer.data(), static_cast<size_t>(got));
  }
}

void Child::poke() {
  if (::write(to_child_, "\n", 1) != 1) std::abort();
}

void Child::stop() {
  siginfo_t info{};
  if (::kill(pid_, SIGSTOP) != 0 || ::waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED) != 0)
    std::abort();
}

void Child::kill() { ::kill(pid_, SIGKILL); }

void Child::wait_until_dead() {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0) std::abort();
}

int Child::wait() {
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) std::abort();
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace cb::test
