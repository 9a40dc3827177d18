// SPDX-License-Identifier: Apache-2.0
#include "core/stream/throttle.h"

#include <gtest/gtest.h>

#include <atomic>

#include "core/stream/run_coroutine.h"

namespace cb::stream {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

class HandClock final : public os::Clock {
 public:
  [[nodiscard]] nanoseconds wall() const override { return monotonic(); }
  [[nodiscard]] nanoseconds monotonic() const override { return nanoseconds(time_.load()); }
  void forward(nanoseconds by) { time_ += by.count(); }

 private:
  std::atomic<int64_t> time_{1'000'000'000};
};

// Runs what is ready, and the dozes until each has looked at the clock once more.
void run_some(asio::io_context& context) {
  context.restart();
  context.run_for(milliseconds(250));
}

asio::awaitable<void> move(Throttle& throttle, size_t bytes, size_t& moved) {
  while (moved < bytes) moved += co_await throttle.take(bytes - moved);
}

TEST(Throttle, gives_the_burst_at_once_and_then_as_much_as_the_time_allows) {
  HandClock clock;
  asio::io_context context;
  Throttle throttle(clock, {65'536, 32'768});
  size_t moved = 0;
  test::Running<void> moving(context, move(throttle, 65'536, moved));
  run_some(context);
  EXPECT_EQ(moved, 32'768U);
  clock.forward(milliseconds(250));
  run_some(context);
  EXPECT_EQ(moved, 49'152U);
  EXPECT_FALSE(moving.done());
  clock.forward(milliseconds(250));
  run_some(context);
  EXPECT_EQ(moved, 65'536U);
  EXPECT_TRUE(moving.done());
}

TEST(Throttle, gives_all_who_wait_the_same) {
  HandClock clock;
  asio::io_context context;
  Throttle throttle(clock, {65'536, 8'192});
  size_t first = 0;
  size_t second = 0;
  const test::Running<void> one(context, move(throttle, 1 << 20, first));
  const test::Running<void> other(context, move(throttle, 1 << 20, second));
  run_some(context);
  EXPECT_EQ(first + second, 8'192U);
  for (int i = 0; i < 6; ++i) {
    clock.forward(milliseconds(125));
    run_some(context);
  }
  EXPECT_EQ(first + second, 7 * 8'192U);
  EXPECT_LE(std::max(first, second) - std::min(first, second), 8'192U);
}

TEST(Throttle, holds_nobody_up_who_stays_below_it) {
  HandClock clock;
  asio::io_context context;
  Throttle throttle(clock, {1 << 20, 1 << 20});
  size_t moved = 0;
  for (int i = 0; i < 10; ++i) {
    size_t now = 0;
    test::run(context, move(throttle, 100'000, now));
    moved += now;
    clock.forward(seconds(1));
  }
  EXPECT_EQ(moved, 1'000'000U);
}

}  // namespace
}  // namespace cb::stream
