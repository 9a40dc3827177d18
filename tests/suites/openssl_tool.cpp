// SPDX-License-Identifier: Apache-2.0
#include "tests/suites/openssl_tool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

extern char** environ;

namespace cb::test {

namespace {

constexpr int kPatienceMs = 10'000;

void must(bool done, const char* what) {
  if (done) return;
  std::perror(what);
  std::abort();
}

}  // namespace

OpensslTool::OpensslTool(const std::vector<std::string>& arguments) {
  std::array<int, 2> in{}, out{};
  must(::pipe2(in.data(), O_CLOEXEC) == 0 && ::pipe2(out.data(), O_CLOEXEC) == 0, "pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, out[1], 2);
  std::vector<std::string> words = {"openssl"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  must(::posix_spawnp(&pid_, "openssl", &actions, nullptr, pointers.data(), environ) == 0,
       "openssl");
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  input_ = in[1];
  output_ = out[0];
}

OpensslTool::~OpensslTool() {
  ::close(input_);
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::close(output_);
}

void OpensslTool::write(const std::string& text) const {
  must(::write(input_, text.data(), text.size()) == static_cast<ssize_t>(text.size()), "write");
}

bool OpensslTool::wait_for(const std::string& text) {
  std::array<char, 4096> part{};
  while (printed_.find(text) == std::string::npos) {
    pollfd ready{output_, POLLIN, 0};
    if (::poll(&ready, 1, kPatienceMs) != 1) return false;
    const ssize_t got = ::read(output_, part.data(), part.size());
    if (got <= 0) return false;
    printed_.append(part.data(), static_cast<size_t>(got));
  }
  return true;
}

}  // namespace cb::test
