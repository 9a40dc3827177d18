// SPDX-License-Identifier: Apache-2.0
//
// The promise against a hostile writer: from a time on it adds whatever it likes; no snapshot from
// before goes earlier than when an honest writer adds one in each cadence.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "core/retention/evaluate.h"

namespace cb::retention {
namespace {

constexpr int64_t kBegin = 1'700'000'000'000'000'000;

using Random = std::mt19937_64;

int64_t up_to(Random& random, int64_t most) {
  return static_cast<int64_t>(random() % static_cast<uint64_t>(most + 1));
}

Rules any_rules(Random& random) {
  Rules rules;
  for (uint64_t* count : {&rules.keep_last, &rules.hourly, &rules.daily, &rules.weekly,
                          &rules.monthly, &rules.yearly})
    if (random() % 3 == 0) *count = random() % 9;
  if (random() % 3 == 0) rules.within_ns = up_to(random, 60 * kDay);
  if (rules.keeps_all()) rules.keep_last = 1 + random() % 5;
  const std::array<int64_t, 7> cadences = {kHour,      kDay,     kDay,           7 * kHour,
                                           36 * kHour, 7 * kDay, kHour / 60 * 61};
  rules.cadence_ns = cadences[random() % cadences.size()];
  return rules;
}

class Writers : public ::testing::TestWithParam<uint64_t> {
 protected:
  Snapshot make(int64_t time) {
    Snapshot one;
    one.sequence = ++sequence_;
    one.id[0] = std::byte(sequence_);
    one.id[1] = std::byte(sequence_ >> 8);
    one.id[2] = std::byte(sequence_ >> 16);
    one.time_ns = time;
    return one;
  }
  // What was there before: of all kinds.
  std::vector<Snapshot> history(int64_t until) {
    std::vector<Snapshot> all;
    for (int64_t time = kBegin; time < until; time += up_to(random_, 3 * kDay)) {
      all.push_back(make(time));
      all.back().is_checkpoint = random_() % 10 == 0;
      all.back().is_pinned = random_() % 20 == 0;
    }
    return all;
  }
  // One as early as can be in each cadence.
  void add_honest(std::vector<Snapshot>& all, int64_t from, int64_t until, int64_t cadence) {
    all.push_back(make(from));
    for (int64_t time = from - from % cadence + cadence; time <= until; time += cadence)
      all.push_back(make(time));
  }
  // Anything: floods at one time, pauses, checkpoints, tags.
  void add_hostile(std::vector<Snapshot>& all, int64_t from, int64_t until) {
    int64_t time = from;
    while (time <= until && all.size() < 3000) {
      for (int64_t many = up_to(random_, 9); many >= 0; --many) {
        all.push_back(make(time));
        all.back().is_checkpoint = random_() % 4 == 0;
        all.back().tags.resize(random_() % 2);
      }
      time += random_() % 2 == 0 ? up_to(random_, kHour) : up_to(random_, 20 * kDay);
    }
  }
  static std::vector<bool> kept(std::span<const Snapshot> all, const Rules& rules, int64_t now) {
    std::vector<bool> answer;
    for (const Verdict& verdict : evaluate(all, rules, now)) answer.push_back(verdict.keeps());
    return answer;
  }
  // What is left when rules are applied again and again, as the server does.
  static void thin(std::vector<Snapshot>& all, const Rules& rules, int64_t now) {
    const auto verdicts = kept(all, rules, now);
    std::vector<Snapshot> left;
    for (size_t i = 0; i < all.size(); ++i)
      if (verdicts[i]) left.push_back(all[i]);
    all = std::move(left);
  }

  Random random_{GetParam()};
  uint64_t sequence_ = 0;
};

TEST_P(Writers, no_older_snapshot_goes_earlier_than_with_an_honest_writer) {
  const Rules rules = any_rules(random_);
  const int64_t from = kBegin + up_to(random_, 120 * kDay);
  const std::vector<Snapshot> before = history(from);
  const int64_t end = from + up_to(random_, 60 * rules.cadence_ns);
  for (int look = 0; look < 8; ++look) {
    const int64_t now = from + up_to(random_, end - from);
    std::vector<Snapshot> honest = before, hostile = before;
    add_honest(honest, from, now, rules.cadence_ns);
    add_hostile(hostile, from, now);
    const auto by_honest = kept(honest, rules, now);
    const auto by_hostile = kept(hostile, rules, now);
    // A checkpoint waits for any whole snapshot, so one that an honest writer adds is enough.
    for (size_t i = 0; i < before.size(); ++i)
      EXPECT_TRUE(by_hostile[i] || !by_honest[i])
          << text_of(rules) << ", snapshot " << i << " of " << before.size();
  }
}

TEST_P(Writers, the_same_holds_when_what_goes_is_gone_at_the_next_look) {
  const Rules rules = any_rules(random_);
  const int64_t from = kBegin + up_to(random_, 90 * kDay);
  std::vector<Snapshot> honest = history(from);
  std::vector<Snapshot> hostile = honest;
  const uint64_t old = sequence_;
  const int64_t end = from + up_to(random_, 40 * rules.cadence_ns);
  for (int64_t now = from; now < end;) {
    const int64_t next = now + 1 + up_to(random_, 2 * rules.cadence_ns);
    add_hostile(hostile, now, next);
    if (now == from) honest.push_back(make(now));
    for (int64_t time = now - now % rules.cadence_ns + rules.cadence_ns; time <= next;
         time += rules.cadence_ns)
      honest.push_back(make(time));
    now = next;
    thin(honest, rules, now);
    thin(hostile, rules, now);
    for (const Snapshot& one : honest) {
      if (one.sequence > old) continue;
      EXPECT_TRUE(std::any_of(hostile.begin(), hostile.end(),
                              [&](const Snapshot& other) { return other.id == one.id; }))
          << text_of(rules) << ", snapshot " << one.sequence;
    }
  }
}

TEST_P(Writers, applying_rules_again_takes_nothing_more) {
  const Rules rules = any_rules(random_);
  std::vector<Snapshot> all = history(kBegin + 200 * kDay);
  add_hostile(all, kBegin + 200 * kDay, kBegin + 300 * kDay);
  const int64_t now = kBegin + 301 * kDay;
  thin(all, rules, now);
  const size_t left = all.size();
  thin(all, rules, now);
  EXPECT_EQ(all.size(), left) << text_of(rules);
}

TEST_P(Writers, a_clock_that_jumps_ahead_and_back_takes_nothing_by_counts) {
  Rules rules = any_rules(random_);
  std::vector<Snapshot> all = history(kBegin + 100 * kDay);
  const int64_t now = kBegin + 101 * kDay;
  const auto before = kept(all, rules, now);
  const auto ahead = kept(all, rules, now + 30 * kYear);
  for (size_t i = 0; i < all.size(); ++i)
    EXPECT_TRUE(ahead[i] || !before[i] || all[i].is_checkpoint) << text_of(rules);
  // What was committed then is of the future once the clock is right again.
  add_hostile(all, now + kYear, now + 2 * kYear);
  const auto after = kept(all, rules, now);
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(after[i], before[i]) << text_of(rules);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Writers, ::testing::Range<uint64_t>(1, 301));

}  // namespace
}  // namespace cb::retention
