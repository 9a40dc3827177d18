// SPDX-License-Identifier: Apache-2.0
//
// Each in a child of its own, since nothing takes a filter away.
#include "core/os/call_filter.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <set>
#include <thread>

#include "core/os/call_names.h"
#include "core/os/program.h"

namespace cb::os {
namespace {

constexpr int kNoFilter = 77;

// How a child ends that confines itself and then does this: 0 and more is its exit code, a signal
// counts from 1000.
template <typename Body>
int confined(Body body, const std::vector<std::string>& further = {}) {
  const pid_t child = ::fork();
  if (child == 0) {
    const Status done = filter_calls(further);
    if (!done) std::fprintf(stderr, "%s\n", done.error().text().c_str());
    ::_exit(done ? body() : kNoFilter);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int errno_of(long result) { return result == -1 ? errno : 0; }

class CallFilter : public ::testing::Test {
 protected:
  void SetUp() override {
    // Asked with no filter, a system that has them finds that at fault.
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, nullptr) == -1 && errno != EFAULT)
      GTEST_SKIP() << "the system has no such filters";
    ASSERT_EQ(confined([] { return 0; }), 0);
  }
};

TEST_F(CallFilter, lets_files_sockets_threads_and_programs_be) {
  EXPECT_EQ(confined([] {
              const int file = ::open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
              if (file < 0 || ::write(file, "x", 1) != 1 || ::fsync(file) != 0) return 1;
              if (::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0) return 2;
              int answer = 0;
              std::thread([&answer] { answer = 42; }).join();
              if (answer != 42) return 3;
              const auto end = run_program({{"/bin/sh", "-c", "ls / | wc -l; exit 7"},
                                            {"PATH=/usr/bin:/bin"},
                                            "",
                                            std::chrono::seconds(20)});
              return end && end->number == 7 ? 0 : 4;
            }),
            0);
}

TEST_F(CallFilter, ends_who_looks_into_another_process) {
  EXPECT_EQ(confined([] { return static_cast<int>(::ptrace(PTRACE_TRACEME, 0, nullptr, 0)); }),
            1000 + SIGSYS);
}

TEST_F(CallFilter, ends_who_makes_a_name_space) {
  EXPECT_EQ(confined([] { return ::unshare(CLONE_NEWUSER); }), 1000 + SIGSYS);
  EXPECT_EQ(confined([] {
              return static_cast<int>(
                  ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) == 0 ? 0 : 1);
            }),
            1000 + SIGSYS);
}

TEST_F(CallFilter, ends_every_call_of_its_list) {
  for (const char* const name : {"io_uring_setup", "bpf", "keyctl", "userfaultfd", "mount"}) {
    const auto all = deadly_calls();
    EXPECT_NE(std::find(all.begin(), all.end(), name), all.end()) << name;
  }
  EXPECT_EQ(confined([] { return static_cast<int>(::syscall(SYS_io_uring_setup, 1, nullptr)); }),
            1000 + SIGSYS);
  EXPECT_EQ(confined([] { return static_cast<int>(::syscall(SYS_keyctl, 0, 0, 0, 0, 0)); }),
            1000 + SIGSYS);
}

TEST_F(CallFilter, refuses_what_nobody_needs) {
  EXPECT_EQ(confined([] {
              const timeval now{1, 0};
              return errno_of(::syscall(SYS_settimeofday, &now, nullptr)) == EPERM ? 0 : 1;
            }),
            0);
  EXPECT_EQ(confined([] { return errno_of(::chroot("/")) == EPERM ? 0 : 1; }), 0);
}

TEST_F(CallFilter, answers_calls_that_it_does_not_know_as_an_older_system_would) {
  EXPECT_EQ(confined([] { return errno_of(::syscall(999)) == ENOSYS ? 0 : 1; }), 0);
  EXPECT_EQ(confined([] { return errno_of(::syscall(SYS_clone3, nullptr, 0)) == ENOSYS ? 0 : 1; }),
            0);
}

TEST_F(CallFilter, has_no_sockets_but_those_of_networks_and_of_this_machine) {
  EXPECT_EQ(confined([] {
              return errno_of(::socket(AF_PACKET, SOCK_RAW, 0)) == ENOSYS &&
                             errno_of(::socket(AF_ALG, SOCK_SEQPACKET, 0)) == ENOSYS
                         ? 0
                         : 1;
            }),
            0);
}

TEST_F(CallFilter, holds_for_threads_that_ran_before) {
  EXPECT_EQ(
      [] {
        const pid_t child = ::fork();
        if (child == 0) {
          std::atomic<bool> is_confined{false};
          std::atomic<int> answer{1};
          std::thread before([&] {
            while (!is_confined) std::this_thread::yield();
            answer = errno_of(::chroot("/")) == EPERM ? 0 : 2;
          });
          const Status done = filter_calls({});
          is_confined = true;
          before.join();
          ::_exit(done ? answer.load() : kNoFilter);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        return WEXITSTATUS(status);
      }(),
      0);
}

TEST_F(CallFilter, holds_for_programs_that_it_starts) {
  EXPECT_EQ(confined([] {
              const auto end = run_program({{"/bin/sh", "-c", "exec unshare --user true"},
                                            {"PATH=/usr/bin:/bin"},
                                            "",
                                            std::chrono::seconds(20)});
              return end && end->kind == ProgramEnd::Kind::signalled ? end->number : 0;
            }),
            SIGSYS);
}

TEST_F(CallFilter, allows_what_an_operator_names) {
  EXPECT_EQ(confined([] { return errno_of(::ptrace(PTRACE_TRACEME, 0, nullptr, 0)); }, {"ptrace"}),
            0);
  EXPECT_EQ(confined(
                [] {
                  const timeval now{1, 0};
                  // Reaches the system, which judges the time itself, or who asks.
                  const timeval wrong{now.tv_sec, 2'000'000};
                  return errno_of(::syscall(SYS_settimeofday, &wrong, nullptr)) == EINVAL ? 0 : 1;
                },
                {"settimeofday"}),
            0);
  EXPECT_EQ(confined([] { return errno_of(::socket(AF_ALG, SOCK_SEQPACKET, 0)) == ENOSYS ? 1 : 0; },
                     {"socket"}),
            0);
}

TEST_F(CallFilter, refuses_names_of_no_call_before_anything_changes) {
  const Status wrong = filter_calls({"ptrace", "make_coffee"});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::invalid);
  EXPECT_NE(wrong.error().text().find("make_coffee"), std::string::npos);
  EXPECT_FALSE(confinement().filters_calls);
}

TEST_F(CallFilter, shows_in_what_the_system_says) {
  EXPECT_FALSE(confinement().filters_calls);
  EXPECT_FALSE(confinement().has_no_new_rights);
  EXPECT_EQ(confined([] {
              const Confinement now = confinement();
              return now.filters_calls && now.has_no_new_rights ? 0 : 1;
            }),
            0);
}

TEST(CallNames, stand_in_one_list_alone) {
  std::set<std::string> seen;
  for (const auto& list : {allowed_calls(), deadly_calls()})
    for (const std::string& name : list) EXPECT_TRUE(seen.insert(name).second) << name;
  EXPECT_TRUE(check_call_names({"read", "ptrace"}));
}

}  // namespace
}  // namespace cb::os
