// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_pace.h"

#include <gtest/gtest.h>

namespace cb::server {
namespace {

using namespace std::chrono_literals;

TEST(V4Pace, a_second_s_worth_of_requests_may_come_at_once_and_the_next_one_waits) {
  V4Pace pace;
  pace.set_rate(100);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(pace.delay(5s), 0ns) << i;
  EXPECT_EQ(pace.delay(5s), 10ms);
  EXPECT_EQ(pace.delay(5s), 20ms);
}

TEST(V4Pace, who_keeps_to_the_rate_never_waits) {
  V4Pace pace;
  pace.set_rate(100);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(pace.delay(i * 10ms), 0ns) << i;
}

TEST(V4Pace, quiet_saves_up_no_more_than_a_second) {
  V4Pace pace;
  pace.set_rate(100);
  EXPECT_EQ(pace.delay(1s), 0ns);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(pace.delay(1000s), 0ns) << i;
  EXPECT_GT(pace.delay(1000s), 0ns);
}

TEST(V4Pace, no_request_waits_longer_than_a_second) {
  V4Pace pace;
  pace.set_rate(1);
  for (int i = 0; i < 50; ++i) EXPECT_LE(pace.delay(5s), 1s);
  EXPECT_EQ(pace.delay(5s), 1s);
}

TEST(V4Pace, without_a_rate_nothing_waits) {
  V4Pace pace;
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(pace.delay(1s), 0ns);
  pace.set_rate(0);
  EXPECT_EQ(pace.delay(1s), 0ns);
}

}  // namespace
}  // namespace cb::server
