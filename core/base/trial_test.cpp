// SPDX-License-Identifier: Apache-2.0
#include "core/base/trial.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <set>

namespace cb::trial {
namespace {

TEST(TrialDeathTest, a_process_dies_at_the_pass_that_it_is_told) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto pass_three_times = [] {
    ::setenv("CYBERBACKUP_DIE_AT", "pack.written:3", 1);
    passed("pack.written");
    passed("pack.indexed");
    passed("pack.written");
    std::fputs("twice", stderr);
    passed("pack.written");
    std::_Exit(0);
  };
  EXPECT_EXIT(pass_three_times(), testing::KilledBySignal(SIGKILL), "twice");
}

TEST(TrialDeathTest, nothing_is_left_out_unless_it_is_named) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto ask = [](const char* broken) {
    ::setenv("CYBERBACKUP_BREAK", broken, 1);
    std::_Exit(is_broken("closure") ? 1 : 0);
  };
  EXPECT_EXIT(ask("lock"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(ask("closure"), testing::ExitedWithCode(1), "");
}

TEST(Trial, steps_have_names_of_their_own) {
  EXPECT_EQ(std::set(kSteps.begin(), kSteps.end()).size(), kSteps.size());
}

}  // namespace
}  // namespace cb::trial
