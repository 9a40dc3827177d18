// SPDX-License-Identifier: Apache-2.0
#include "core/server/lock_out.h"

#include <gtest/gtest.h>

#include "core/server/stopped_clock.h"

namespace cb::server {
namespace {

using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

class LockOutTest : public ::testing::Test {
 protected:
  StoppedClock clock_;
  LockOut lock_out_{clock_, {3, seconds(2), minutes(1)}};

  void fail(const std::string& subject, int times) {
    for (int i = 0; i < times; ++i) lock_out_.fail(subject);
  }
};

TEST_F(LockOutTest, the_first_failures_cost_nothing) {
  fail("alice", 3);
  EXPECT_EQ(lock_out_.wait_of("alice"), nanoseconds::zero());
  EXPECT_EQ(lock_out_.fail("alice"), seconds(2));
  EXPECT_EQ(lock_out_.wait_of("alice"), seconds(2));
}

TEST_F(LockOutTest, each_further_failure_doubles_the_wait_up_to_the_longest) {
  fail("alice", 3);
  for (const int wait : {2, 4, 8, 16, 32, 60, 60}) {
    EXPECT_EQ(lock_out_.fail("alice"), seconds(wait));
    clock_.forward(seconds(wait));
    EXPECT_EQ(lock_out_.wait_of("alice"), nanoseconds::zero());
  }
  fail("alice", 1000);
  EXPECT_EQ(lock_out_.wait_of("alice"), minutes(1));
}

TEST_F(LockOutTest, the_wait_ends_with_its_time_and_not_before) {
  fail("alice", 4);
  clock_.forward(seconds(2) - nanoseconds(1));
  EXPECT_EQ(lock_out_.wait_of("alice"), nanoseconds(1));
  clock_.forward(nanoseconds(1));
  EXPECT_EQ(lock_out_.wait_of("alice"), nanoseconds::zero());
}

TEST_F(LockOutTest, subjects_do_not_harm_each_other) {
  fail("alice", 10);
  EXPECT_EQ(lock_out_.wait_of("bob"), nanoseconds::zero());
}

TEST_F(LockOutTest, success_and_a_long_pause_forget_failures) {
  fail("alice", 10);
  lock_out_.clear("alice");
  EXPECT_EQ(lock_out_.fail("alice"), nanoseconds::zero());
  fail("bob", 3);
  clock_.forward(minutes(1));
  EXPECT_EQ(lock_out_.fail("bob"), nanoseconds::zero());
  fail("carol", 3);
  clock_.forward(minutes(1) - nanoseconds(1));
  EXPECT_EQ(lock_out_.fail("carol"), seconds(2));
}

TEST_F(LockOutTest, a_failure_that_was_counted_in_advance_is_taken_back) {
  fail("alice", 4);
  lock_out_.take_back("alice");
  EXPECT_EQ(lock_out_.wait_of("alice"), nanoseconds::zero());
  EXPECT_EQ(lock_out_.fail("alice"), seconds(2));
  lock_out_.take_back("nobody");
}

TEST_F(LockOutTest, memory_is_bounded_and_who_failed_most_is_not_forgotten_for_others) {
  fail("victim", 10);
  const nanoseconds wait = lock_out_.wait_of("victim");
  for (int i = 0; i < 40000; ++i) fail("name-" + std::to_string(i), 1);
  EXPECT_LE(lock_out_.size(), 16384U);
  EXPECT_EQ(lock_out_.wait_of("victim"), wait);
}

}  // namespace
}  // namespace cb::server
