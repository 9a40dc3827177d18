// SPDX-License-Identifier: Apache-2.0
#include "core/retention/evaluate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace cb::retention {
namespace {

int64_t at(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  const std::chrono::sys_days days{std::chrono::year{year} / std::chrono::month{month} /
                                   std::chrono::day{day}};
  return days.time_since_epoch().count() * kDay + hour * kHour + minute * (kHour / 60);
}

Hash hash_of(uint8_t byte) {
  Hash hash{};
  hash.fill(std::byte{byte});
  return hash;
}

class Retention : public ::testing::Test {
 protected:
  Snapshot& add(int64_t time) {
    Snapshot one;
    one.sequence = snapshots_.size() + 1;
    one.time_ns = time;
    snapshots_.push_back(one);
    return snapshots_.back();
  }
  // The reasons of each, "-" for what goes; by the newest time unless `now` is given.
  std::vector<std::string> reasons(const std::string& rules, int64_t now = 0) {
    const Rules parsed = parse_rules(rules).value();
    int64_t newest = std::numeric_limits<int64_t>::min();
    for (const Snapshot& one : snapshots_) newest = std::max(newest, one.time_ns);
    std::vector<std::string> all;
    for (const Verdict& verdict : evaluate(snapshots_, parsed, now == 0 ? newest : now)) {
      std::string text;
      for (const Reason& reason : verdict.reasons)
        text += (text.empty() ? "" : ", ") + text_of(reason);
      all.push_back(text.empty() ? "-" : text);
    }
    return all;
  }
  using Texts = std::vector<std::string>;

  std::vector<Snapshot> snapshots_;
};

TEST_F(Retention, keeps_everything_without_rules) {
  add(at(2026, 1, 1));
  add(at(2026, 1, 2)).is_checkpoint = true;
  EXPECT_EQ(reasons("keep-all", at(2030, 1, 1)),
            (Texts{"no rules, newest", "no rules, checkpoint"}));
}

TEST_F(Retention, keeps_the_first_of_a_day) {
  add(at(2026, 1, 1, 8));
  add(at(2026, 1, 1, 9));
  add(at(2026, 1, 2, 0));
  add(at(2026, 1, 2, 23, 59));
  EXPECT_EQ(reasons("keep-daily 7"), (Texts{"daily 2", "-", "daily 1", "newest"}));
}

TEST_F(Retention, counts_days_that_have_a_snapshot) {
  add(at(2025, 3, 1));
  add(at(2025, 9, 1));
  add(at(2026, 1, 1));
  EXPECT_EQ(reasons("keep-daily 2", at(2029, 1, 1)), (Texts{"-", "daily 2", "newest, daily 1"}));
}

TEST_F(Retention, keep_last_counts_one_snapshot_in_each_cadence) {
  for (int hour = 0; hour < 24; hour += 6) add(at(2026, 1, 1, hour));
  add(at(2026, 1, 2));
  EXPECT_EQ(reasons("keep-last 2"), (Texts{"last 2", "-", "-", "-", "newest, last 1"}));
  EXPECT_EQ(reasons("keep-last 2, cadence 6h"), (Texts{"-", "-", "-", "last 2", "newest, last 1"}));
}

TEST_F(Retention, hours_are_as_wide_as_the_cadence) {
  add(at(2026, 1, 1, 8));
  add(at(2026, 1, 1, 9));
  EXPECT_EQ(reasons("keep-hourly 9"), (Texts{"hourly 1", "newest"}));
  EXPECT_EQ(reasons("keep-hourly 9, cadence 1h"), (Texts{"hourly 2", "newest, hourly 1"}));
}

TEST_F(Retention, weeks_begin_on_monday_and_months_and_years_are_the_calendars) {
  add(at(2025, 12, 28));  // a Sunday
  add(at(2025, 12, 29));  // Monday of the week that 2026 begins in
  add(at(2026, 1, 4));    // its Sunday
  add(at(2026, 1, 5));
  add(at(2026, 2, 1));
  EXPECT_EQ(reasons("keep-weekly 9"),
            (Texts{"weekly 4", "weekly 3", "-", "weekly 2", "newest, weekly 1"}));
  EXPECT_EQ(reasons("keep-monthly 9"),
            (Texts{"monthly 3", "-", "monthly 2", "-", "newest, monthly 1"}));
  EXPECT_EQ(reasons("keep-yearly 9"), (Texts{"yearly 2", "-", "yearly 1", "-", "newest"}));
}

TEST_F(Retention, leap_days_and_times_before_1970_have_their_days) {
  add(at(1969, 12, 31, 23));
  add(at(1970, 1, 1, 0));
  add(at(2024, 2, 29, 12));
  add(at(2024, 3, 1, 0));
  EXPECT_EQ(reasons("keep-yearly 9"), (Texts{"yearly 3", "yearly 2", "yearly 1", "newest"}));
  EXPECT_EQ(reasons("keep-monthly 2"), (Texts{"-", "-", "monthly 2", "newest, monthly 1"}));
}

TEST_F(Retention, keep_within_counts_back_from_the_newest_and_not_from_today) {
  add(at(2025, 1, 1));
  add(at(2025, 1, 9, 23));
  add(at(2025, 1, 10));
  add(at(2025, 1, 20, 18));
  EXPECT_EQ(reasons("keep-within 10d", at(2031, 1, 1)),
            (Texts{"-", "-", "within", "newest, within"}));
}

TEST_F(Retention, the_newest_whole_one_always_stays) {
  add(at(2024, 1, 1));
  add(at(2024, 1, 2));
  add(at(2024, 1, 3)).is_checkpoint = true;
  EXPECT_EQ(reasons("keep-tag " + std::string(64, 'a'), at(2031, 1, 1)),
            (Texts{"-", "newest", "checkpoint"}));
}

TEST_F(Retention, a_checkpoint_stays_until_something_whole_follows_and_it_is_a_day_old) {
  add(at(2026, 1, 1)).is_checkpoint = true;
  EXPECT_EQ(reasons("keep-last 9", at(2027, 1, 1)), (Texts{"checkpoint"}));
  add(at(2026, 1, 1, 5));
  EXPECT_EQ(reasons("keep-last 9", at(2026, 1, 1, 23)), (Texts{"checkpoint", "newest, last 1"}));
  EXPECT_EQ(reasons("keep-last 9", at(2026, 1, 2)), (Texts{"-", "newest, last 1"}));
}

TEST_F(Retention, checkpoints_fill_no_bucket) {
  add(at(2026, 1, 1));
  for (int day = 2; day < 12; ++day)
    add(at(2026, 1, static_cast<unsigned>(day))).is_checkpoint = true;
  const auto all = reasons("keep-daily 3", at(2026, 6, 1));
  EXPECT_EQ(all[0], "newest, daily 1");
}

TEST_F(Retention, pins_and_tags_keep) {
  add(at(2026, 1, 1)).is_pinned = true;
  add(at(2026, 1, 2)).tags = {hash_of(0xbb), hash_of(0xaa)};
  add(at(2026, 1, 3)).tags = {hash_of(0xcc)};
  add(at(2026, 1, 4));
  EXPECT_EQ(reasons("keep-tag " + std::string(64, 'a')), (Texts{"pinned", "tag", "-", "newest"}));
}

TEST_F(Retention, a_snapshot_of_the_future_stays_and_pushes_nothing_out) {
  add(at(2026, 1, 1));
  add(at(2026, 1, 2));
  for (unsigned day = 1; day < 9; ++day) add(at(2031, 1, day));
  const auto all = reasons("keep-daily 2, keep-within 1d", at(2026, 1, 3));
  EXPECT_EQ(all[0], "within, daily 2");
  EXPECT_EQ(all[1], "newest, within, daily 1");
  for (size_t i = 2; i < all.size(); ++i) EXPECT_EQ(all[i], "future");
}

TEST_F(Retention, the_order_in_which_snapshots_are_given_does_not_matter) {
  for (unsigned day = 1; day < 29; ++day) add(at(2026, 2, day, 3));
  const auto forward = reasons("keep-daily 5, keep-weekly 3", at(2026, 3, 1));
  std::reverse(snapshots_.begin(), snapshots_.end());
  auto backward = reasons("keep-daily 5, keep-weekly 3", at(2026, 3, 1));
  std::reverse(backward.begin(), backward.end());
  EXPECT_EQ(forward, backward);
}

TEST_F(Retention, of_two_at_the_same_time_the_one_committed_first_is_the_first) {
  add(at(2026, 1, 1)).sequence = 9;
  add(at(2026, 1, 1)).sequence = 8;
  EXPECT_EQ(reasons("keep-daily 1"), (Texts{"newest", "daily 1"}));
}

TEST_F(Retention, nothing_of_nothing) {
  EXPECT_TRUE(evaluate({}, Rules{}, 0).empty());
  EXPECT_EQ(newest_whole({}, 0), nullptr);
}

}  // namespace
}  // namespace cb::retention
