// SPDX-License-Identifier: Apache-2.0
#include "core/os/program.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

namespace cb::os {
namespace {

ProgramEnd must_run(ProgramCall call) {
  if (call.timeout.count() == 0) call.timeout = std::chrono::seconds(30);
  const auto end = run_program(call);
  EXPECT_TRUE(end) << end.error().text();
  return end ? *end : ProgramEnd{};
}

ProgramCall shell(const std::string& script) { return {{"/bin/sh", "-c", script}, {}, {}, {}, {}}; }

TEST(Program, gets_its_input_and_environment_and_nothing_else) {
  ::setenv("CB_PROGRAM_TEST", "of the caller", 1);
  ProgramCall call =
      shell("cat; echo \"$ONE|$CB_PROGRAM_TEST|$(ls /proc/self/fd | wc -l)|$(pwd)\"");
  call.input = "so it is\n";
  call.environment = {"ONE=two words\nand a line", "PATH=/usr/bin:/bin"};
  const ProgramEnd end = must_run(std::move(call));
  EXPECT_EQ(end.kind, ProgramEnd::Kind::exited);
  EXPECT_EQ(end.number, 0);
  // ls has the three usual ones and the folder that it reads.
  EXPECT_EQ(end.said, "so it is\ntwo words\nand a line||4|/\n");
}

TEST(Program, tells_its_exit_code_and_what_it_said_to_either_output) {
  const ProgramEnd end = must_run(shell("echo out; echo problem >&2; exit 7"));
  EXPECT_EQ(end.number, 7);
  EXPECT_EQ(end.said, "out\nproblem\n");
}

TEST(Program, tells_the_signal_that_ended_it) {
  const ProgramEnd end = must_run(shell("kill -TERM $$"));
  EXPECT_EQ(end.kind, ProgramEnd::Kind::signalled);
  EXPECT_EQ(end.number, SIGTERM);
}

TEST(Program, need_not_read_what_it_is_given) {
  ProgramCall call = shell("exit 3");
  call.input.assign(4 << 20, 'x');
  EXPECT_EQ(must_run(std::move(call)).number, 3);
}

TEST(Program, that_says_a_lot_is_heard_to_a_point) {
  const ProgramEnd end = must_run(shell("PATH=/usr/bin:/bin; head -c 300000 /dev/zero"));
  EXPECT_EQ(end.number, 0);
  EXPECT_EQ(end.said.size(), 4096u);
}

TEST(Program, is_killed_with_what_it_started_when_its_time_is_up) {
  const std::string mark = "/tmp/program-test-" + std::to_string(::getpid());
  ProgramCall call = shell("PATH=/usr/bin:/bin; sleep 300 & echo $! > " + mark + "; sleep 300");
  call.timeout = std::chrono::milliseconds(700);
  EXPECT_EQ(must_run(std::move(call)).kind, ProgramEnd::Kind::timed_out);
  int child = 0;
  std::ifstream(mark) >> child;
  ASSERT_GT(child, 0);
  // Gone, or a corpse that nobody reaped yet. A busy machine takes a moment to end it.
  const auto state_of_child = [child] {
    std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
    std::string number, name, state = "gone";
    stat >> number >> name >> state;
    return state;
  };
  const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (state_of_child() != "gone" && state_of_child() != "Z") {
    ASSERT_LT(std::chrono::steady_clock::now(), last) << "it still runs";
    std::this_thread::yield();
  }
  ::unlink(mark.c_str());
}

TEST(Program, is_killed_when_nobody_wants_it_any_more) {
  ProgramCall call = shell("PATH=/usr/bin:/bin; sleep 300");
  int asked = 0;
  call.is_cancelled = [&asked] { return ++asked > 2; };
  EXPECT_EQ(must_run(std::move(call)).kind, ProgramEnd::Kind::cancelled);
}

TEST(Program, that_is_not_there_or_has_no_full_path_is_an_error) {
  const auto missing = run_program({{"/nowhere/to/be/found"}, {}, {}, std::chrono::seconds(1), {}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  const auto relative = run_program({{"sh"}, {}, {}, std::chrono::seconds(1), {}});
  ASSERT_FALSE(relative);
  EXPECT_EQ(relative.error().code, Code::invalid);
}

}  // namespace
}  // namespace cb::os
