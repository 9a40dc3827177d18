// SPDX-License-Identifier: Apache-2.0
//
// Each in a child of its own, since what is given up stays so.
#include "core/os/lower_rights.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/os/process.h"

namespace cb::os {
namespace {

constexpr const char* kUser = "nobody";

template <typename Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// errno of binding the port at an address that is this test's alone; 0 when it could.
int bind_to(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(0x7f000000U + static_cast<uint32_t>(::getpid() & 0xffff) + 256);
  const int result = ::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)) == 0 ? 0 : errno;
  ::close(fd);
  return result;
}

// What the threads of this process have of one kind ("Uid", "CapPrm"), a line each.
std::string of_all_threads(const std::string& what) {
  std::string all;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(thread.path() / "status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with(what + ":")) all += line + "\n";
  }
  return all;
}

class LowerRightsOfRoot : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  }
};

TEST_F(LowerRightsOfRoot, touches_files_as_the_user_from_the_first_moment) {
  EXPECT_EQ(in_child([] {
              if (!LowerRights::take(kUser)) return 1;
              if (::geteuid() == 0 || ::getegid() == 0 || ::getgroups(0, nullptr) != 1) return 2;
              return std::ofstream("/etc/lower-rights-test").is_open() ? 3 : 0;
            }),
            0);
}

TEST_F(LowerRightsOfRoot, binds_low_ports_while_it_is_to_and_not_before_or_after) {
  const int may_anybody = in_child([] { return ::setuid(65534) == 0 ? bind_to(80) : -1; });
  if (may_anybody == 0) GTEST_SKIP() << "here everybody may bind low ports";
  EXPECT_EQ(in_child([] {
              const auto rights = LowerRights::take(kUser);
              if (!rights) return 1;
              if (bind_to(80) != EACCES) return 2;
              int bound = -1;
              const Status done = rights->while_binding([&]() -> Status {
                bound = bind_to(80);
                return {};
              });
              if (!done || bound != 0) return 3;
              if (bind_to(80) != EACCES) return 4;
              return rights->give_up() && bind_to(80) == EACCES ? 0 : 5;
            }),
            0);
}

TEST_F(LowerRightsOfRoot, leaves_nothing_of_root_in_any_thread) {
  EXPECT_EQ(in_child([] {
              const auto rights = LowerRights::take(kUser);
              std::atomic<bool> may_end{false};
              std::thread other([&] {
                while (!may_end) std::this_thread::yield();
              });
              const bool gave_up = rights && rights->give_up();
              const std::string users = of_all_threads("Uid") + of_all_threads("Gid");
              const std::string rest = of_all_threads("CapPrm") + of_all_threads("CapEff") +
                                       of_all_threads("CapAmb") + of_all_threads("CapBnd");
              may_end = true;
              other.join();
              if (!gave_up || users.find("\t0") != std::string::npos) return 1;
              const size_t lines = static_cast<size_t>(std::count(rest.begin(), rest.end(), '\n'));
              const size_t zeros = [&rest] {
                size_t count = 0;
                for (size_t at = 0; (at = rest.find("\t0000000000000000\n", at)) != rest.npos; ++at)
                  ++count;
                return count;
              }();
              if (lines != 8 || zeros != lines) return 2;
              return ::setuid(0) == 0 || ::seteuid(0) == 0 ? 3 : 0;
            }),
            0);
}

TEST_F(LowerRightsOfRoot, keeps_its_memory_closed) {
  EXPECT_EQ(in_child([] {
              forbid_core_dumps();
              const auto rights = LowerRights::take(kUser);
              if (!rights || !rights->give_up()) return 1;
              struct stat info {};
              return ::stat("/proc/self/mem", &info) == 0 && info.st_uid == 0 ? 0 : 2;
            }),
            0);
}

TEST_F(LowerRightsOfRoot, refuses_users_that_there_are_not_and_root_itself) {
  EXPECT_EQ(LowerRights::take("no-such-user").error().code, Code::not_found);
  EXPECT_EQ(LowerRights::take("root").error().code, Code::invalid);
  EXPECT_TRUE(is_root());
}

TEST(LowerRights, are_only_for_root_to_take) {
  EXPECT_EQ(in_child([] {
              if (::geteuid() == 0 && ::setuid(65534) != 0) return 1;
              const auto rights = LowerRights::take(kUser);
              return !rights && rights.error().code == Code::denied ? 0 : 2;
            }),
            0);
}

}  // namespace
}  // namespace cb::os
