// SPDX-License-Identifier: Apache-2.0
#include "core/schedule/window.h"

#include <gtest/gtest.h>

namespace cb::schedule {
namespace {

constexpr int64_t kHour = 3600 * int64_t{1'000'000'000};

Window parsed(const char* text) {
  const auto window = Window::parse(text);
  EXPECT_TRUE(window) << text;
  return window.value_or(Window());
}

TEST(Window, nothing_is_always) {
  EXPECT_TRUE(parsed("").is_always());
  EXPECT_EQ(parsed("").opens(77, utc_zone()), 77);
  EXPECT_FALSE(parsed("").closes(77, utc_zone()));
}

TEST(Window, what_is_none_is_refused) {
  for (const char* text : {"22:00", "22:00-", "-06:00", "22-06", "22:00-24:00", "03:00-03:00"})
    EXPECT_EQ(Window::parse(text).error().code, Code::invalid) << text;
}

TEST(Window, by_day_it_is_open_between_its_ends) {
  const Window day = parsed("08:00-18:00");
  EXPECT_EQ(day.opens(7 * kHour, utc_zone()), 8 * kHour);
  EXPECT_EQ(day.opens(8 * kHour + 1, utc_zone()), 8 * kHour + 1);
  EXPECT_EQ(day.opens(18 * kHour, utc_zone()), 32 * kHour);
  EXPECT_EQ(day.closes(8 * kHour, utc_zone()), 18 * kHour);
}

TEST(Window, by_night_it_goes_over_midnight) {
  const Window night = parsed("22:00-06:00");
  EXPECT_EQ(night.opens(5 * kHour, utc_zone()), 5 * kHour);
  EXPECT_EQ(night.opens(6 * kHour, utc_zone()), 22 * kHour);
  EXPECT_EQ(night.opens(23 * kHour, utc_zone()), 23 * kHour);
  EXPECT_EQ(night.closes(23 * kHour, utc_zone()), 30 * kHour);
  EXPECT_EQ(night.closes(kHour, utc_zone()), 6 * kHour);
}

TEST(Window, it_is_of_the_zone) {
  const Zone ahead = [](int64_t) { return int64_t{3600}; };
  EXPECT_EQ(parsed("08:00-18:00").opens(0, ahead), 7 * kHour);
}

}  // namespace
}  // namespace cb::schedule
