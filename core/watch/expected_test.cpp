// SPDX-License-Identifier: Apache-2.0
#include "core/watch/expected.h"

#include <gtest/gtest.h>

#include <vector>

namespace cb::watch {
namespace {

// A Monday, 00:00 UTC.
constexpr int64_t kMonday = 1'767'571'200 * int64_t{1'000'000'000};

using Times = std::vector<int64_t>;

// A stream of numbers that is the same in each run.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  // From 0 to `most`.
  int64_t throw_to(int64_t most) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<int64_t>((state_ >> 11) % static_cast<uint64_t>(most + 1));
  }

 private:
  uint64_t state_;
};

// Backups on the days that `is_on` takes, at this hour and up to `jitter` later.
template <typename IsOn>
Times on_days(int days, int hour, const IsOn& is_on, int64_t jitter = 20 * kMinute) {
  Times times;
  Dice dice(7);
  for (int day = 0; day < days; ++day)
    if (is_on(day)) times.push_back(kMonday + day * kDay + hour * kHour + dice.throw_to(jitter));
  return times;
}
bool every_day(int) { return true; }
bool on_workdays(int day) { return day % 7 < 5; }

Expectation judge(const Times& times) { return expect(times, std::nullopt, {}); }

// How often a source that goes on as it does is called overdue: at each backup, just before the
// next.
size_t false_alarms(const Times& times) {
  size_t alarms = 0;
  for (size_t i = 1; i < times.size(); ++i)
    alarms += judge(Times(times.begin(), times.begin() + static_cast<ptrdiff_t>(i)))
                  .is_overdue(times[i] - 1);
  return alarms;
}

TEST(Expected, a_daily_source_is_missed_within_its_tolerance) {
  const Times times = on_days(30, 22, every_day);
  const Expectation next = judge(times);
  EXPECT_EQ(next.basis, Basis::regular);
  EXPECT_NEAR(static_cast<double>(next.next - times.back()), kDay, kHour);
  EXPECT_FALSE(next.is_overdue(times.back() + kDay + 5 * kHour));
  EXPECT_TRUE(next.is_overdue(times.back() + kDay + 7 * kHour));
  EXPECT_EQ(false_alarms(times), 0u);
}

TEST(Expected, an_hourly_source_is_missed_within_the_hour) {
  Times times;
  for (int hour = 0; hour < 24 * 10; ++hour) times.push_back(kMonday + hour * kHour);
  const Expectation next = judge(times);
  EXPECT_EQ(next.next, times.back() + kHour);
  EXPECT_FALSE(next.is_overdue(times.back() + 85 * kMinute));
  EXPECT_TRUE(next.is_overdue(times.back() + 95 * kMinute));
}

TEST(Expected, a_source_of_workdays_is_not_missed_at_weekends) {
  const Times times = on_days(12 * 7, 18, on_workdays);
  EXPECT_EQ(false_alarms(times), 0u);
  // The last one is of a Friday.
  const Expectation friday = judge(times);
  EXPECT_EQ(friday.basis, Basis::of_both);
  EXPECT_FALSE(friday.is_overdue(times.back() + 3 * kDay));
  EXPECT_TRUE(friday.is_overdue(times.back() + 3 * kDay + 8 * kHour));
  const Times until_thursday(times.begin(), times.end() - 1);
  const Expectation thursday = judge(until_thursday);
  EXPECT_TRUE(thursday.is_overdue(until_thursday.back() + kDay + 8 * kHour));
}

TEST(Expected, a_source_of_workdays_is_known_by_the_weekday_when_its_hour_varies) {
  const Times times = on_days(12 * 7, 9, on_workdays, 5 * kHour);
  EXPECT_EQ(false_alarms(times), 0u);
  const Expectation friday = judge(times);
  EXPECT_TRUE(friday.is_overdue(times.back() + 4 * kDay)) << name_of(friday.basis);
}

TEST(Expected, an_hourly_source_of_office_hours_is_not_missed_at_night) {
  Times times;
  for (int day = 0; day < 8 * 7; ++day)
    for (int hour = 9; hour < 17 && on_workdays(day); ++hour)
      times.push_back(kMonday + day * kDay + hour * kHour);
  EXPECT_EQ(false_alarms(times), 0u);
  // At noon of a workday it is missed the same afternoon.
  Times until_noon;
  for (const int64_t time : times)
    if (time <= kMonday + (7 * 7 + 3) * kDay + 12 * kHour) until_noon.push_back(time);
  EXPECT_TRUE(judge(until_noon).is_overdue(until_noon.back() + 3 * kHour));
}

TEST(Expected, a_source_with_few_backups_is_never_missed_by_its_history) {
  Times times;
  for (int count = 1; count <= 6; ++count) {
    times.push_back(kMonday + count * kDay);
    EXPECT_EQ(judge(times).basis, Basis::unknown) << count;
    EXPECT_FALSE(judge(times).is_overdue(times.back() + 1000 * kDay)) << count;
  }
  // Many in few days are no history either: no weekend was seen.
  times.clear();
  for (int hour = 0; hour < 100; ++hour) times.push_back(kMonday + hour * kHour);
  EXPECT_EQ(judge(times).basis, Basis::unknown);
  EXPECT_EQ(judge({}).basis, Basis::unknown);
}

TEST(Expected, what_a_person_said_counts_from_the_first_backup_on) {
  const Wish wish{false, kDay, 2 * kHour};
  const Times one = {kMonday};
  const Expectation next = expect(one, wish, {});
  EXPECT_EQ(next.basis, Basis::set);
  EXPECT_FALSE(next.is_overdue(kMonday + 25 * kHour));
  EXPECT_TRUE(next.is_overdue(kMonday + 26 * kHour));
  const Times many = on_days(30, 22, every_day);
  EXPECT_FALSE(expect(many, Wish{true, 0, 0}, {}).is_overdue(many.back() + 1000 * kDay));
  EXPECT_EQ(expect(many, Wish{true, 0, 0}, {}).basis, Basis::never);
}

TEST(Expected, an_irregular_source_is_missed_after_its_longest_pauses) {
  Times times = {kMonday};
  Dice dice(11);
  for (int i = 0; i < 60; ++i) times.push_back(times.back() + 3 * kHour + dice.throw_to(3 * kDay));
  const Expectation next = judge(times);
  EXPECT_EQ(next.basis, Basis::irregular);
  EXPECT_FALSE(next.is_overdue(times.back() + 3 * kDay));
  EXPECT_TRUE(next.is_overdue(times.back() + 6 * kDay));
  EXPECT_EQ(false_alarms(times), 0u);
}

TEST(Expected, a_holiday_is_a_silence_and_no_habit) {
  const Times times = on_days(12 * 7, 18, [](int day) {
    return on_workdays(day) && (day < 5 * 7 || day >= 6 * 7 + 2);  // nine days off
  });
  EXPECT_EQ(false_alarms(times), 1u);
  EXPECT_FALSE(judge(times).is_overdue(times.back() + 3 * kDay));
  EXPECT_TRUE(judge(times).is_overdue(times.back() + 3 * kDay + 8 * kHour));
}

TEST(Expected, one_more_backup_by_hand_changes_nothing) {
  Times times;
  for (const int64_t time : on_days(30, 22, every_day)) {
    times.push_back(time);
    if (times.size() % 6 == 0) times.push_back(time + 30 * kMinute);
  }
  EXPECT_EQ(false_alarms(times), 0u);
  EXPECT_TRUE(judge(times).is_overdue(times.back() + kDay + 8 * kHour));
}

// Clocks go forward on the last Sunday of March 2026 and back on the last of October, at 01:00 UTC.
int64_t central_europe(int64_t utc) {
  return utc >= 1'774'746'000 && utc < 1'792'890'000 ? 7200 : 3600;
}

TEST(Expected, a_change_of_the_clocks_is_no_silence) {
  ExpectedRules rules;
  rules.zone = central_europe;
  Times times;
  size_t alarms = 0;
  for (int day = 0; day < 330; ++day) {
    if (!on_workdays(day)) continue;
    const int64_t shown = kMonday / 1'000'000'000 + day * 86400 + 2 * 3600 + 1800;
    const int64_t time = schedule::when_shown(central_europe, shown) * 1'000'000'000;
    if (!times.empty()) alarms += expect(times, std::nullopt, rules).is_overdue(time - 1);
    times.push_back(time);
  }
  EXPECT_EQ(alarms, 0u);
  EXPECT_EQ(expect(times, std::nullopt, rules).basis, Basis::of_both);
}

TEST(Expected, a_source_that_pauses_for_long_and_comes_back_is_known_again) {
  Times times = on_days(30, 22, every_day);
  times.push_back(times.back() + 200 * kDay);
  const Expectation back = judge(times);
  EXPECT_NE(back.basis, Basis::unknown);
  EXPECT_GT(back.late, times.back());
  for (int day = 0; day < 40; ++day) times.push_back(times.back() + kDay);
  EXPECT_EQ(judge(times).basis, Basis::regular);
}

TEST(Expected, a_lesser_tolerance_of_the_settings_counts) {
  const Times times = on_days(30, 22, every_day, 0);
  ExpectedRules rules;
  rules.tolerance = kHour;
  const Expectation next = expect(times, std::nullopt, rules);
  EXPECT_FALSE(next.is_overdue(times.back() + 24 * kHour + 59 * kMinute));
  EXPECT_TRUE(next.is_overdue(times.back() + 25 * kHour));
}

TEST(Expected, impossible_wishes_are_refused) {
  EXPECT_TRUE(check({true, 0, 0}));
  EXPECT_TRUE(check({false, kDay, 0}));
  EXPECT_FALSE(check({false, 0, 0}));
  EXPECT_FALSE(check({false, -kDay, 0}));
  EXPECT_FALSE(check({false, kDay, -1}));
  EXPECT_FALSE(check({false, 4000 * kDay, 0}));
}

}  // namespace
}  // namespace cb::watch
