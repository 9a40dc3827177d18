// SPDX-License-Identifier: Apache-2.0
//
// Programs that hold keys leave none of their memory behind, however they end: real processes, as
// an ordinary user, with limits that allow core dumps of any size.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/folders.h"
#include "tests/v4/v4_server.h"

namespace cb::trust {
namespace {

constexpr uid_t kNobody = 65534;

class CoreDumps : public server::V4Server {
 protected:
  CoreDumps() : place_(folder_.string() + "-place") {
    std::filesystem::remove_all(place_);
    std::filesystem::create_directory(place_);
  }
  ~CoreDumps() override {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    std::filesystem::remove_all(place_);
  }

  // Starts a program as an ordinary user, in a folder of its own, and waits for what it says first.
  void begin(std::vector<std::string> command, const std::string& waits_for) {
    const rlimit any{RLIM_INFINITY, RLIM_INFINITY};
    std::array<int, 2> in{}, out{};
    ASSERT_TRUE(::pipe(in.data()) == 0 && ::pipe(out.data()) == 0);
    std::vector<char*> raw;
    for (std::string& argument : command) raw.push_back(argument.data());
    raw.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(out[1], STDERR_FILENO);
      const bool ready = ::setrlimit(RLIMIT_CORE, &any) == 0 && ::chdir(place_.c_str()) == 0 &&
                         (::geteuid() != 0 || (::setgid(kNobody) == 0 && ::setuid(kNobody) == 0));
      if (ready) ::execv(raw[0], raw.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    stdin_ = in[1];
    std::string said;
    std::array<char, 512> part{};
    while (said.find(waits_for) == std::string::npos) {
      const ssize_t got = ::read(out[0], part.data(), part.size());
      ASSERT_GT(got, 0) << "it ended and said: " << said;
      said.append(part.data(), static_cast<size_t>(got));
    }
  }
  void give_to_nobody(const os::Path& folder) const {
    if (::geteuid() != 0) return;
    ASSERT_EQ(::chown(folder.c_str(), kNobody, kNobody), 0);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
      ASSERT_EQ(::chown(entry.path().c_str(), kNobody, kNobody), 0);
  }

  // Until the process is this program, which has come so far as to change what it was started with.
  // Before that it is a copy of the test, whose memory is closed, too, since it changed its user.
  void wait_for_limit(const std::string& program) const {
    const auto start = std::chrono::steady_clock::now();
    while ((!runs(program) || core_limit().find("unlimited") != std::string::npos) &&
           std::chrono::steady_clock::now() - start < std::chrono::seconds(30))
      std::this_thread::yield();
    EXPECT_TRUE(runs(program)) << program << " did not begin";
  }
  [[nodiscard]] bool runs(const std::string& program) const {
    std::error_code ignored;
    const auto exe =
        std::filesystem::read_symlink("/proc/" + std::to_string(pid_) + "/exe", ignored);
    return exe == std::filesystem::canonical(program, ignored);
  }
  [[nodiscard]] std::string core_limit() const {
    std::ifstream limits("/proc/" + std::to_string(pid_) + "/limits");
    for (std::string line; std::getline(limits, line);)
      if (line.starts_with("Max core file size")) return line.substr(26);
    return "unknown";
  }
  // The system gives the files of a process whose memory nobody may see to root.
  [[nodiscard]] bool memory_is_closed() const {
    struct stat info {};
    EXPECT_EQ(::stat(("/proc/" + std::to_string(pid_) + "/mem").c_str(), &info), 0);
    return info.st_uid == 0;
  }
  // Kills it in the way that dumps; did it?
  bool dumps_when_it_crashes() {
    ::kill(pid_, SIGQUIT);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(place_))
      if (entry.path().filename().string().starts_with("core")) return true;
    return WIFSIGNALED(status) && WCOREDUMP(status);
  }
  void expect_nothing_is_left() {
    std::istringstream limit(core_limit());
    std::string soft, hard;
    limit >> soft >> hard;
    EXPECT_EQ(soft, "0");
    EXPECT_EQ(hard, "0");
    EXPECT_TRUE(memory_is_closed());
    EXPECT_FALSE(dumps_when_it_crashes());
  }

  const os::Path place_;
  pid_t pid_ = -1;
  int stdin_ = -1;
};

TEST_F(CoreDumps, of_another_program_are_there) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  give_to_nobody(place_);
  begin({"/bin/sh", "-c", "echo begun; read line"}, "begun");
  EXPECT_NE(core_limit().find("unlimited"), std::string::npos);
  EXPECT_FALSE(memory_is_closed());
}

TEST_F(CoreDumps, of_the_client_are_off_from_its_first_moment) {
  give_to_nobody(place_);
  // It reads the token from its input, which does not come.
  begin({test::program("cyberbackup"), "--config-dir", (place_ / "config").string(), "--plugin-dir",
         test::plugins(), "--verbose", "enroll", "-"},
        "");
  wait_for_limit(test::program("cyberbackup"));
  expect_nothing_is_left();
}

TEST_F(CoreDumps, of_the_rescue_are_off_from_its_first_moment) {
  ASSERT_EQ(::mkfifo((place_ / "key").c_str(), 0600), 0);  // and nobody writes into it
  give_to_nobody(place_);
  begin({test::program("cyberbackup-rescue"), "--plugin-dir", test::plugins(), "list",
         place_.string(), "--key", (place_ / "key").string()},
        "");
  wait_for_limit(test::program("cyberbackup-rescue"));
  expect_nothing_is_left();
}

TEST_F(CoreDumps, of_the_daemon_are_off) {
  give_to_nobody(folder_);
  give_to_nobody(place_);
  begin({test::program("cyberbackupd"), "serve", "--config", folder_ / "cyberbackupd.toml", "--set",
         "plugins.check_owner=false"},
        "ready");
  expect_nothing_is_left();
}

}  // namespace
}  // namespace cb::trust
