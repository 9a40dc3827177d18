// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace cb::damage {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::seconds(60);  // of a daemon
constexpr timespec kMoment{0, 10'000'000};

std::vector<char*> pointers_to(Words& texts) {
  std::vector<char*> raw;
  for (std::string& text : texts) raw.push_back(text.data());
  raw.push_back(nullptr);
  return raw;
}

// Those given, and of this process what is not about CyberBackup.
Words variables_with(const Words& given) {
  const auto name = [](const std::string& variable) {
    return variable.substr(0, variable.find('='));
  };
  Words all = given;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view(*entry).starts_with("CYBERBACKUP") &&
        std::none_of(given.begin(), given.end(),
                     [&](const std::string& one) { return name(one) == name(*entry); }))
      all.emplace_back(*entry);
  return all;
}

// `out` becomes its stdout and stderr.
pid_t spawn(Words command, const Words& environment, int out) {
  Words variables = variables_with(environment);
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
  pid_t pid = -1;
  const int trouble = ::posix_spawnp(&pid, command.front().c_str(), &actions, nullptr,
                                     pointers_to(command).data(), pointers_to(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (trouble != 0) throw std::runtime_error("cannot run " + command.front());
  return pid;
}

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

}  // namespace

bool Ended::crashed() const {
  return exit_code >= 128 || output.find("ERROR: AddressSanitizer") != std::string::npos ||
         output.find("runtime error:") != std::string::npos;
}

Ended run(const Words& command, const Words& environment, std::chrono::seconds patience) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const pid_t pid = spawn(command, environment, ends[1]);
  ::close(ends[1]);
  Ended ended;
  const auto until = Clock::now() + patience;
  std::array<char, 4096> part{};
  for (;;) {
    pollfd waiting{ends[0], POLLIN, 0};
    if (::poll(&waiting, 1, 100) > 0) {
      const ssize_t got = ::read(ends[0], part.data(), part.size());
      if (got <= 0) break;
      ended.output.append(part.data(), static_cast<size_t>(got));
    } else if (Clock::now() > until && !ended.hung) {
      ended.hung = true;
      ::kill(pid, SIGKILL);
    }
  }
  ::close(ends[0]);
  int status = 0;
  if (::waitpid(pid, &status, 0) == pid) ended.exit_code = code_of(status);
  return ended;
}

Running::~Running() { kill(); }

void Running::start(const Words& command, const Words& environment, std::string log) {
  log_ = std::move(log);
  const int out = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) throw std::runtime_error("cannot write " + log_);
  pid_ = spawn(command, environment, out);
  ::close(out);
}

bool Running::has_ended(int& status) {
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  pid_ = -1;
  return true;
}

bool Running::wait_for(const std::string& text) {
  int status = 0;
  for (const auto until = Clock::now() + kPatience; pid_ > 0 && Clock::now() < until;) {
    if (output().find(text) != std::string::npos) return true;
    if (has_ended(status)) return false;
    ::nanosleep(&kMoment, nullptr);
  }
  return false;
}

Ended Running::stop() {
  Ended ended;
  if (pid_ <= 0) return ended;
  ::kill(pid_, SIGTERM);
  int status = 0;
  for (const auto until = Clock::now() + kPatience; !has_ended(status);) {
    if (Clock::now() > until && !ended.hung) {
      ended.hung = true;
      ::kill(pid_, SIGKILL);
    }
    ::nanosleep(&kMoment, nullptr);
  }
  ended.exit_code = code_of(status);
  ended.output = output();
  return ended;
}

void Running::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string Running::output() const { return content_of(log_); }

std::string content_of(const std::string& file) {
  std::ostringstream all;
  all << std::ifstream(file, std::ios::binary).rdbuf();
  return all.str();
}

void write_file(const std::string& file, const std::string& content) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << content;
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

}  // namespace cb::damage
