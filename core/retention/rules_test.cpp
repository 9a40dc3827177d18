// SPDX-License-Identifier: Apache-2.0
#include "core/retention/rules.h"

#include <gtest/gtest.h>

#include <random>

#include "core/base/bytes.h"

namespace cb::retention {
namespace {

Hash hash_of(uint8_t byte) {
  Hash hash{};
  hash.fill(std::byte{byte});
  return hash;
}

std::string refusal(const std::string& text) {
  const auto rules = parse_rules(text);
  if (rules) return "";
  EXPECT_EQ(rules.error().code, Code::invalid) << text;
  return rules.error().text();
}

TEST(RetentionRules, are_written_and_read_in_one_form) {
  Rules rules;
  rules.keep_last = 3;
  rules.daily = 7;
  rules.within_ns = 30 * kDay;
  rules.tags = {hash_of(0xaa)};
  EXPECT_EQ(text_of(rules), "keep-last 3, keep-daily 7, keep-within 30d, keep-tag " +
                                to_hex(rules.tags[0]) + ", cadence 1d, trash-stay 7d");
  EXPECT_EQ(parse_rules(text_of(rules)).value(), rules);
  EXPECT_EQ(text_of(Rules{}), "keep-all, cadence 1d, trash-stay 7d");
  EXPECT_EQ(parse_rules("keep-all").value(), Rules{});
}

TEST(RetentionRules, come_in_any_order_with_any_spaces_and_tags_count_once) {
  const std::string tag = to_hex(hash_of(0x22));
  const auto rules = parse_rules("  trash-stay 2w ,keep-tag " + tag + ", keep-tag " +
                                 to_hex(hash_of(0x11)) + ",keep-tag " + tag + ", cadence  12h");
  ASSERT_TRUE(rules) << rules.error().text();
  EXPECT_EQ(rules->trash_stay_ns, 14 * kDay);
  EXPECT_EQ(rules->cadence_ns, 12 * kHour);
  EXPECT_EQ(rules->tags, (std::vector<Hash>{hash_of(0x11), hash_of(0x22)}));
}

TEST(RetentionRules, any_that_are_good_come_back_as_they_were) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    Rules rules;
    for (uint64_t* count : {&rules.keep_last, &rules.hourly, &rules.daily, &rules.weekly,
                            &rules.monthly, &rules.yearly})
      if (random() % 2 == 0) *count = random() % 100'001;
    if (random() % 2 == 0) rules.within_ns = static_cast<int64_t>(random() % (100 * kYear));
    rules.cadence_ns = kHour / 60 + static_cast<int64_t>(random() % kYear) / 2;
    rules.trash_stay_ns = kHour + static_cast<int64_t>(random() % (9 * kYear));
    for (uint64_t t = random() % 4; t > 0; --t)
      rules.tags.push_back(hash_of(static_cast<uint8_t>(50 - 10 * t)));
    ASSERT_TRUE(check(rules)) << text_of(rules);
    const auto again = parse_rules(text_of(rules));
    ASSERT_TRUE(again) << text_of(rules) << ": " << again.error().text();
    EXPECT_EQ(*again, rules) << text_of(rules);
  }
}

TEST(RetentionRules, those_that_would_keep_nothing_are_refused) {
  for (const char* text : {"keep-last 0", "keep-daily 0, keep-within 0s", "trash-stay 7d"})
    EXPECT_NE(refusal(text).find("would keep nothing"), std::string::npos) << refusal(text);
  EXPECT_NE(refusal("keep-all, keep-daily 7").find("stands beside"), std::string::npos);
}

TEST(RetentionRules, impossible_ones_are_refused_with_the_reason) {
  const std::vector<std::pair<const char*, const char*>> wrong = {
      {"keep-daily -1", "is not a number of snapshots"},
      {"keep-daily seven", "is not a number of snapshots"},
      {"keep-daily", "is not a number of snapshots"},
      {"keep-daily 99999999999999999999999", "is not a number of snapshots"},
      {"keep-daily 100001", "is more than 100000"},
      {"keep-daily 7, keep-daily 8", "stands there twice"},
      {"keep-fortnightly 2", "is not known"},
      {"keep-all 3", "is not known"},
      {"keep-within -3d", "is not a length of time"},
      {"keep-within 3 moons", "is not a length of time"},
      {"keep-within 40000d", "36500d"},
      {"keep-last 1, cadence 1s", "cadence"},
      {"keep-last 1, cadence 0s", "cadence"},
      {"keep-last 1, cadence 400d", "365d"},
      {"keep-last 1, trash-stay 0s", "trash-stay"},
      {"keep-last 1, trash-stay 59m", "between 1h and 3650d"},
      {"keep-last 1, trash-stay 3651d", "between 1h and 3650d"},
      {"keep-tag work", "64 hex digits"},
      {"keep-last 1,", "an empty part"},
      {"", "an empty part"}};
  for (const auto& [text, reason] : wrong)
    EXPECT_NE(refusal(text).find(reason), std::string::npos) << text << ": " << refusal(text);
}

TEST(RetentionRules, any_bytes_are_read_or_refused) {
  std::mt19937 random(11);
  const std::string letters = "keep-daily,within 0123456789dhlstag\x00\xff\n";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (size_t n = random() % 60; n > 0; --n) text += letters[random() % letters.size()];
    const auto rules = parse_rules(text);
    if (rules) {
      EXPECT_EQ(parse_rules(text_of(*rules)).value(), *rules);
    }
  }
}

TEST(RetentionRules, durations_are_exact) {
  EXPECT_EQ(duration_text(0), "0s");
  EXPECT_EQ(duration_text(kDay + 12 * kHour), "1d12h");
  EXPECT_EQ(duration_text(-kHour), "-1h");
  EXPECT_EQ(duration_text(90'000'000'001), "1m30s1ns");
}

}  // namespace
}  // namespace cb::retention
