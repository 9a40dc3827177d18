// SPDX-License-Identifier: Apache-2.0
#include "core/client/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/bytes.h"

namespace cb::client {
namespace {

using namespace std::chrono_literals;

class FixedRandom : public os::Random {
 public:
  explicit FixedRandom(uint8_t byte) : byte_(byte) {}
  Status fill(ByteSpan out) override {
    std::fill(out.begin(), out.end(), std::byte{byte_});
    return {};
  }

 private:
  uint8_t byte_;
};

class HandClock : public os::Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds wall() const override { return now; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return now; }
  std::chrono::nanoseconds now = 1h;
};

TEST(Backoff, pauses_lie_in_the_upper_half_of_a_span_that_doubles_to_its_limit) {
  FixedRandom lowest(0);
  FixedRandom highest(255);
  Backoff low({100ms, 400ms}, lowest);
  Backoff high({100ms, 400ms}, highest);
  for (const auto span : {100ms, 200ms, 400ms, 400ms}) {
    EXPECT_EQ(low.next(), span / 2);
    const auto pause = high.next();
    EXPECT_GT(pause, span - 1ms);
    EXPECT_LE(pause, span);
  }
  low.reset();
  EXPECT_EQ(low.next(), 50ms);
}

TEST(CircuitBreaker, opens_after_failures_in_a_row_and_lets_one_try_through_after_the_rest) {
  HandClock clock;
  CircuitBreaker breaker({3, 30s}, clock);
  breaker.failed();
  breaker.failed();
  breaker.succeeded();
  breaker.failed();
  breaker.failed();
  EXPECT_TRUE(breaker.allows());
  breaker.failed();
  EXPECT_FALSE(breaker.allows());
  clock.now += 29s;
  EXPECT_FALSE(breaker.allows());
  clock.now += 1s;
  EXPECT_TRUE(breaker.allows());
  breaker.failed();
  EXPECT_FALSE(breaker.allows());
  clock.now += 30s;
  breaker.succeeded();
  EXPECT_TRUE(breaker.allows());
}

}  // namespace
}  // namespace cb::client
