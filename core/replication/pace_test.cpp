// SPDX-License-Identifier: Apache-2.0
#include "core/replication/pace.h"

#include <gtest/gtest.h>

namespace cb::replication {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

class HandClock final : public os::Clock {
 public:
  [[nodiscard]] nanoseconds wall() const override { return now; }
  [[nodiscard]] nanoseconds monotonic() const override { return now; }
  nanoseconds now = seconds(1000);
};

class PaceTest : public testing::Test {
 protected:
  bool spend(uint64_t bytes) { return pace_.spend(bytes); }

  HandClock clock_;
  uint64_t rate_ = 8000;
  bool gives_up_ = false;
  nanoseconds slept_{};
  EvenPace pace_{[this] { return rate_; }, clock_,
                 [this](nanoseconds time) {
                   slept_ += time;
                   clock_.now += time;
                   return !gives_up_;
                 }};
};

TEST_F(PaceTest, takes_as_long_as_the_rate_says) {
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(spend(800));
  EXPECT_EQ(slept_, seconds(9)) << "80,000 bytes, of which a second's worth came at once";
}

TEST_F(PaceTest, makes_up_for_a_second_of_a_pause_and_no_more) {
  EXPECT_TRUE(spend(8000));
  clock_.now += seconds(3600);
  EXPECT_TRUE(spend(8000));
  EXPECT_EQ(slept_, nanoseconds::zero());
  EXPECT_TRUE(spend(4000));
  EXPECT_EQ(slept_, milliseconds(500));
}

TEST_F(PaceTest, follows_a_rate_that_changes_and_has_none_at_zero) {
  EXPECT_TRUE(spend(8000));
  rate_ = 16'000;
  EXPECT_TRUE(spend(8000));
  EXPECT_EQ(slept_, milliseconds(500)) << "nothing is saved up when the rate changes";
  rate_ = 0;
  EXPECT_TRUE(spend(1'000'000'000));
  EXPECT_EQ(slept_, milliseconds(500));
}

TEST_F(PaceTest, tells_that_the_wait_was_given_up) {
  EXPECT_TRUE(spend(8000));
  gives_up_ = true;
  EXPECT_FALSE(spend(8000));
}

}  // namespace
}  // namespace cb::replication
