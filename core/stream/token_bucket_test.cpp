// SPDX-License-Identifier: Apache-2.0
#include "core/stream/token_bucket.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <queue>
#include <random>
#include <vector>

namespace cb::stream {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;

// Bytes and when they went.
struct Went {
  nanoseconds at{};
  uint64_t bytes = 0;
};

// Of `rate` in `time`, in whole bytes and one more for rounding.
uint64_t most_in(const Rate& rate, nanoseconds time) {
  const double grown = static_cast<double>(rate.per_second) * static_cast<double>(time.count());
  return rate.burst + static_cast<uint64_t>(grown / 1e9) + 1;
}

Rate any_rate(std::mt19937_64& random) {
  const uint64_t rate = kLeastRate << (random() % 20);
  return {rate + random() % rate, 1 + random() % (4 * rate)};
}

TEST(TokenBucket, never_lets_more_go_than_rate_times_time_and_the_burst) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 300; ++round) {
    const Rate rate = any_rate(random);
    TokenBucket bucket(rate);
    nanoseconds now(static_cast<int64_t>(random() % 1'000'000'000));
    std::vector<Went> went;
    for (int i = 0; i < 120; ++i) {
      const uint64_t bytes = 1 + random() % std::min<uint64_t>(rate.burst, 256 * kKiB);
      went.push_back({bucket.book(bytes, now), bytes});
      EXPECT_GE(went.back().at, now);
      if (random() % 3 == 0) now += nanoseconds(static_cast<int64_t>(random() % 200'000'000));
    }
    // In every stretch of time, not only from the beginning.
    for (size_t from = 0; from < went.size(); ++from) {
      uint64_t sum = 0;
      for (size_t to = from; to < went.size(); ++to) {
        sum += went[to].bytes;
        ASSERT_LE(sum, most_in(rate, went[to].at - went[from].at)) << rate.per_second;
      }
    }
  }
}

TEST(TokenBucket, gives_what_it_promises_to_who_always_wants_more) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 200; ++round) {
    const Rate rate = any_rate(random);
    TokenBucket bucket(rate);
    const uint64_t turn = turn_of(rate);
    nanoseconds now{};
    uint64_t sum = 0;
    while (now < seconds(5)) {
      now = bucket.book(turn, now);
      sum += turn;
    }
    EXPECT_GE(static_cast<double>(sum), 0.99 * 5 * static_cast<double>(rate.per_second));
  }
}

// Each books its next turn when the last one went, as sessions do.
TEST(TokenBucket, nobody_starves_whoever_came_first_and_however_many_there_are) {
  for (const size_t many : {2U, 7U, 100U}) {
    const Rate rate{kMiB, kMiB};
    TokenBucket bucket(rate);
    using Turn = std::pair<nanoseconds, size_t>;
    std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
    std::vector<uint64_t> got(many);
    const nanoseconds late = seconds(20);
    for (size_t who = 0; who + 1 < many; ++who) turns.emplace(bucket.book(turn_of(rate), {}), who);
    bool has_come = false;
    while (turns.top().first < seconds(140)) {
      const auto [now, who] = turns.top();
      turns.pop();
      if (!has_come && now >= late) {
        has_come = true;
        std::fill(got.begin(), got.end(), 0);
        turns.emplace(bucket.book(turn_of(rate), now), many - 1);
      }
      got[who] += turn_of(rate);
      turns.emplace(bucket.book(turn_of(rate), now), who);
    }
    const auto [least, most] = std::minmax_element(got.begin(), got.end());
    EXPECT_LE(*most - *least, 2 * turn_of(rate)) << many;
  }
}

TEST(TokenBucket, what_is_larger_than_the_burst_waits_for_the_rest_of_it) {
  TokenBucket bucket({100 * kKiB, 10 * kKiB});
  EXPECT_EQ(bucket.book(60 * kKiB, seconds(5)), seconds(5) + milliseconds(500));
  EXPECT_EQ(bucket.book(10 * kKiB, seconds(5)), seconds(5) + milliseconds(600));
}

TEST(TokenBucket, saves_up_no_more_than_the_burst) {
  TokenBucket bucket({100 * kKiB, 50 * kKiB});
  EXPECT_EQ(bucket.book(50 * kKiB, seconds(1)), seconds(1));
  EXPECT_EQ(bucket.book(50 * kKiB, seconds(1000)), seconds(1000));
  EXPECT_EQ(bucket.book(50 * kKiB, seconds(1000)), seconds(1000) + milliseconds(500));
}

TEST(TokenBucket, with_another_rate_begins_empty_and_owes_nothing) {
  TokenBucket bucket({4 * kKiB, 4 * kKiB});
  for (int i = 0; i < 100; ++i) bucket.book(64 * kKiB, seconds(1));
  bucket.restart({kMiB, kMiB}, seconds(2));
  EXPECT_EQ(bucket.book(kMiB / 2, seconds(2)), seconds(2) + milliseconds(500));
}

TEST(TokenBucket, counts_right_at_the_ends_of_what_is_allowed) {
  TokenBucket fast({kMostRate, 1});
  EXPECT_EQ(fast.book(kMostRate, {}).count(), 1'000'000'000);
  TokenBucket faster({~uint64_t{0}, 1});
  EXPECT_EQ(faster.rate().per_second, kMostRate);
  TokenBucket slow({0, 0});
  EXPECT_EQ(slow.rate(), (Rate{kLeastRate, 1}));
  EXPECT_GT(slow.book(~uint64_t{0}, {}), seconds(100'000'000));
}

TEST(TokenBucket, among_others_nobody_goes_at_once) {
  TokenBucket bucket({100 * kKiB, kMiB});
  EXPECT_EQ(bucket.book(10 * kKiB, seconds(1)), seconds(1));
  EXPECT_EQ(bucket.book_among_others(10 * kKiB, seconds(1)), seconds(1) + milliseconds(100));
}

TEST(TokenBucket, a_turn_is_a_small_part_of_a_second_within_bounds) {
  EXPECT_EQ(turn_of({4 * kKiB, 1}), 4 * kKiB);
  EXPECT_EQ(turn_of({10 * kMiB, 1}), 160 * kKiB);
  EXPECT_EQ(turn_of({kMostRate, 1}), kMiB);
}

}  // namespace
}  // namespace cb::stream
