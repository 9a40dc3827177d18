// SPDX-License-Identifier: Apache-2.0
#include "core/schedule/schedule.h"

#include <gtest/gtest.h>

#include <ctime>
#include <random>

namespace cb::schedule {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kHour = 3600 * kSecond;
constexpr int64_t kDay = 24 * kHour;

// "2026-03-29T01:30:00" as UTC.
int64_t at(const char* text) {
  std::tm parts{};
  EXPECT_NE(::strptime(text, "%Y-%m-%dT%H:%M:%S", &parts), nullptr) << text;
  return ::timegm(&parts) * kSecond;
}

Schedule parsed(const std::string& text) {
  const auto schedule = Schedule::parse(text);
  EXPECT_TRUE(schedule) << text;
  return schedule.value_or(Schedule());
}

int64_t next(const std::string& text, const char* after, const Zone& zone = utc_zone()) {
  return parsed(text).next(at(after), zone).value_or(-1);
}

// As in Berlin in 2026: an hour ahead, two from 29 March 01:00 UTC to 25 October 01:00 UTC.
Zone berlin() {
  return [](int64_t utc) -> int64_t {
    const int64_t ns = utc * kSecond;
    const bool summer = ns >= at("2026-03-29T01:00:00") && ns < at("2026-10-25T01:00:00");
    return summer ? 7200 : 3600;
  };
}

TEST(Schedule, texts_come_back_as_they_were_parsed) {
  for (const char* text :
       {"off", "hourly", "every 6h", "every 90m", "every 2d", "every 61s", "daily 02:30",
        "weekly sun 03:00", "weekly sat 23:59", "monthly 1 04:00", "monthly 31 00:00"})
    EXPECT_EQ(parsed(text).text(), text);
  EXPECT_EQ(parsed("  daily   02:30 "), parsed("daily 02:30"));
}

TEST(Schedule, what_is_no_schedule_is_refused_with_the_forms) {
  for (const char* text : {"",
                           " ",
                           "never",
                           "daily",
                           "daily 2:30",
                           "daily 24:00",
                           "daily 02:60",
                           "daily 02:30 x",
                           "weekly 03:00",
                           "weekly sunday 03:00",
                           "weekly sun",
                           "monthly 0 01:00",
                           "monthly 32 01:00",
                           "monthly x 01:00",
                           "every",
                           "every 0s",
                           "every 59s",
                           "every 367d",
                           "every 1h 2h",
                           "every 60500ms",
                           "hourly 01:00",
                           "off now",
                           "yearly 1 01:00"}) {
    const auto schedule = Schedule::parse(text);
    ASSERT_FALSE(schedule) << text;
    EXPECT_EQ(schedule.error().code, Code::invalid);
    EXPECT_NE(schedule.error().advice.find("daily 02:30"), std::string::npos);
  }
}

TEST(Schedule, off_is_never) {
  EXPECT_FALSE(Schedule().next(0, utc_zone()));
  EXPECT_TRUE(parsed("off").is_off());
}

TEST(Schedule, the_next_moment_is_past_the_given_one) {
  EXPECT_EQ(next("daily 02:30", "2026-05-01T02:29:59"), at("2026-05-01T02:30:00"));
  EXPECT_EQ(next("daily 02:30", "2026-05-01T02:30:00"), at("2026-05-02T02:30:00"));
  EXPECT_EQ(next("hourly", "2026-05-01T02:59:59"), at("2026-05-01T03:00:00"));
  EXPECT_EQ(next("every 6h", "2026-05-01T02:00:00"), at("2026-05-01T06:00:00"));
  EXPECT_EQ(next("weekly sun 03:00", "2026-05-01T00:00:00"), at("2026-05-03T03:00:00"));
  EXPECT_EQ(next("weekly fri 03:00", "2026-05-01T03:00:00"), at("2026-05-08T03:00:00"));
}

TEST(Schedule, a_month_that_is_too_short_has_its_last_day) {
  EXPECT_EQ(next("monthly 31 04:00", "2026-02-01T00:00:00"), at("2026-02-28T04:00:00"));
  EXPECT_EQ(next("monthly 31 04:00", "2026-02-28T04:00:00"), at("2026-03-31T04:00:00"));
  EXPECT_EQ(next("monthly 30 04:00", "2028-02-01T00:00:00"), at("2028-02-29T04:00:00"));
  EXPECT_EQ(next("monthly 1 04:00", "2026-12-15T00:00:00"), at("2027-01-01T04:00:00"));
}

TEST(Schedule, a_time_that_the_clock_leaps_over_comes_as_much_later) {
  EXPECT_EQ(next("daily 02:30", "2026-03-28T12:00:00", berlin()), at("2026-03-29T01:30:00"));
  EXPECT_EQ(next("daily 02:30", "2026-03-29T01:30:00", berlin()), at("2026-03-30T00:30:00"));
}

TEST(Schedule, a_time_that_the_clock_shows_twice_counts_once) {
  EXPECT_EQ(next("daily 02:30", "2026-10-24T12:00:00", berlin()), at("2026-10-25T00:30:00"));
  EXPECT_EQ(next("daily 02:30", "2026-10-25T00:30:00", berlin()), at("2026-10-26T01:30:00"));
}

TEST(Schedule, a_year_of_days_has_one_moment_each_in_any_zone) {
  for (const Zone& zone : {utc_zone(), berlin()})
    for (const char* text : {"daily 00:00", "daily 02:30", "daily 23:59"}) {
      int64_t moment = at("2026-01-01T12:00:00");
      for (int day = 0; day < 365; ++day) {
        const int64_t after = *parsed(text).next(moment, zone);
        EXPECT_GE(after - moment, day == 0 ? 1 : 23 * kHour) << text << " " << day;
        EXPECT_LE(after - moment, 25 * kHour) << text << " " << day;
        moment = after;
      }
      EXPECT_LT(moment, at("2027-01-01T12:00:00"));
    }
}

// Whatever is asked: the answer is past the question, nothing lies between, and it does not depend
// on where in between one asks.
TEST(Schedule, any_schedule_gives_the_same_moments_from_wherever_one_asks) {
  std::mt19937_64 random(7);
  const std::vector<std::string> texts = {
      "hourly",           "every 7h",         "every 61s",        "daily 02:30", "daily 23:59",
      "weekly sun 02:30", "monthly 31 02:15", "monthly 29 00:00", "every 30d"};
  for (int round = 0; round < 2000; ++round) {
    const Schedule schedule = parsed(texts[random() % texts.size()]);
    const Zone zone = random() % 2 == 0 ? utc_zone() : berlin();
    const int64_t after = at("2026-01-01T00:00:00") +
                          static_cast<int64_t>(random() % static_cast<uint64_t>(366 * kDay));
    const int64_t first = *schedule.next(after, zone);
    ASSERT_GT(first, after);
    const auto between =
        after + static_cast<int64_t>(random() % static_cast<uint64_t>(first - after));
    EXPECT_EQ(*schedule.next(between, zone), first) << schedule.text();
    EXPECT_GT(*schedule.next(first, zone), first);
  }
}

TEST(Schedule, jitter_stays_below_what_is_asked_and_a_quarter_of_the_distance) {
  std::mt19937_64 random(11);
  const auto five = std::chrono::minutes(5);
  for (int round = 0; round < 1000; ++round) {
    const auto daily =
        jitter(parsed("daily 02:30"), at("2026-05-01T02:30:00"), utc_zone(), five, random());
    EXPECT_GE(daily.count(), 0);
    EXPECT_LE(daily, five);
    const auto often =
        jitter(parsed("every 1m"), at("2026-05-01T02:30:00"), utc_zone(), five, random());
    EXPECT_LE(often, std::chrono::seconds(15));
  }
  EXPECT_EQ(jitter(Schedule(), 0, utc_zone(), five, 99).count(), 0);
  EXPECT_EQ(jitter(parsed("hourly"), 0, utc_zone(), std::chrono::nanoseconds(0), 99).count(), 0);
}

}  // namespace
}  // namespace cb::schedule
