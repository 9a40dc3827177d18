// SPDX-License-Identifier: Apache-2.0
#include "core/schedule/time_frame.h"

#include <gtest/gtest.h>

namespace cb::schedule {
namespace {

constexpr int64_t kHour = 3600 * int64_t{1'000'000'000};
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kMonday = 4 * kDay;  // 1970-01-05

TimeFrame frame(const std::vector<std::string>& days, const char* time) {
  const auto made = TimeFrame::make(days, Window::parse(time).value());
  EXPECT_TRUE(made);
  return made.value_or(TimeFrame());
}

TEST(TimeFrame, without_days_and_time_is_always) {
  for (int64_t hour = -200; hour < 200; ++hour)
    EXPECT_TRUE(TimeFrame().has(hour * kHour + 5, utc_zone())) << hour;
}

TEST(TimeFrame, takes_the_days_that_it_names_and_no_other) {
  const TimeFrame work = frame({"mon", "wed"}, "");
  EXPECT_TRUE(work.has(kMonday, utc_zone()));
  EXPECT_TRUE(work.has(kMonday + kDay - 1, utc_zone()));
  EXPECT_FALSE(work.has(kMonday + kDay, utc_zone()));
  EXPECT_TRUE(work.has(kMonday + 2 * kDay, utc_zone()));
  EXPECT_FALSE(work.has(kMonday - 1, utc_zone()));
}

TEST(TimeFrame, by_day_is_open_between_its_ends) {
  const TimeFrame office = frame({"mon"}, "08:00-18:00");
  EXPECT_FALSE(office.has(kMonday + 8 * kHour - 1, utc_zone()));
  EXPECT_TRUE(office.has(kMonday + 8 * kHour, utc_zone()));
  EXPECT_FALSE(office.has(kMonday + 18 * kHour, utc_zone()));
  EXPECT_FALSE(office.has(kMonday + kDay + 9 * kHour, utc_zone()));
}

TEST(TimeFrame, a_night_belongs_to_the_day_on_which_it_begins) {
  const TimeFrame night = frame({"mon"}, "22:00-06:00");
  EXPECT_FALSE(night.has(kMonday + 3 * kHour, utc_zone()));  // that is Sunday's
  EXPECT_TRUE(night.has(kMonday + 23 * kHour, utc_zone()));
  EXPECT_TRUE(night.has(kMonday + kDay + 5 * kHour, utc_zone()));
  EXPECT_FALSE(night.has(kMonday + kDay + 6 * kHour, utc_zone()));
  EXPECT_FALSE(night.has(kMonday + kDay + 23 * kHour, utc_zone()));
}

TEST(TimeFrame, is_of_the_zone_that_it_is_asked_for) {
  const Zone east = [](int64_t) { return int64_t{2 * 3600}; };
  const TimeFrame monday = frame({"mon"}, "");
  EXPECT_TRUE(monday.has(kMonday - 2 * kHour, east));
  EXPECT_FALSE(monday.has(kMonday + kDay - 2 * kHour, east));
}

TEST(TimeFrame, what_is_no_day_is_refused) {
  for (const char* day : {"", "Mon", "monday", "mo", "8"})
    EXPECT_EQ(TimeFrame::make({"tue", day}, Window()).error().code, Code::invalid) << day;
}

}  // namespace
}  // namespace cb::schedule
