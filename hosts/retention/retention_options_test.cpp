// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "retention_text.h"
#include "rule_options.h"

namespace cb::host {
namespace {

using report::Json;

constexpr int64_t kSecond = 1'000'000'000;

RuleOptions parsed(std::vector<std::string> arguments) {
  CLI::App app;
  RuleOptions options;
  add_rule_options(app, options, "--keep-tag-hash");
  std::reverse(arguments.begin(), arguments.end());
  app.parse(arguments);
  return options;
}

TEST(RuleOptions, make_the_rules_that_were_written) {
  const auto rules = rules_of(
      parsed({"--keep-daily", "7", "--keep-within=30d", "--cadence", "12h", "--trash-stay", "2w"}),
      {retention::Hash{}});
  ASSERT_TRUE(rules) << rules.error().text();
  EXPECT_EQ(retention::text_of(**rules), "keep-daily 7, keep-within 30d, keep-tag " +
                                             std::string(64, '0') +
                                             ", cadence 12h, trash-stay 14d");
  EXPECT_TRUE((*rules_of(parsed({"--keep-all"}), {}))->keeps_all());
  EXPECT_FALSE(*rules_of(parsed({"--none"}), {}));
}

TEST(RuleOptions, that_make_no_sense_are_refused) {
  EXPECT_EQ(rules_of(parsed({}), {}).error().code, Code::invalid);
  EXPECT_EQ(rules_of(parsed({"--keep-daily", "many"}), {}).error().code, Code::invalid);
  EXPECT_EQ(rules_of(parsed({"--trash-stay", "9d"}), {}).error().code, Code::invalid);
  EXPECT_THROW(parsed({"--keep-all", "--keep-last", "1"}), CLI::ParseError);
  EXPECT_THROW(parsed({"--none", "--trash-stay", "9d"}), CLI::ParseError);
}

TEST(RuleOptions, moments_are_dates_or_lengths_of_time) {
  EXPECT_EQ(parse_moment("1970-01-02", 5).value(), 86400 * kSecond);
  EXPECT_EQ(parse_moment("2024-02-29T01:02:03Z", 5).value(), 1709168523 * kSecond);
  EXPECT_EQ(parse_moment("90d", 5).value(), 90 * 86400 * kSecond + 5);
  for (const char* wrong : {"", "2023-02-29", "2024-13-01", "2024-01-01T25:00:00Z", "2024-01-01 ",
                            "3000-01-01", "-5d", "soon", "99999999d"})
    EXPECT_FALSE(parse_moment(wrong, 5)) << wrong;
}

TEST(RetentionText, a_plan_says_of_each_snapshot_what_and_why) {
  const Json detail = {
      {"sources",
       Json::array({{{"account", "alice"},
                     {"source", std::string(96, 'a')},
                     {"rules", "keep-daily 1"},
                     {"rules_of", "repository"},
                     {"objection", "15 of 20 snapshots would go, more than 50 %"},
                     {"snapshots", Json::array({{{"snapshot", std::string(64, 'b')},
                                                 {"time_ns", 86400 * kSecond},
                                                 {"act", "keep"},
                                                 {"reasons", Json::array({"newest", "daily 1"})}},
                                                {{"snapshot", std::string(64, 'c')},
                                                 {"time_ns", kSecond},
                                                 {"act", "in trash"},
                                                 {"reasons", Json::array()},
                                                 {"due_ns", 2 * 86400 * kSecond}}})}}})}};
  const std::string text = retention_plan_text(detail);
  for (const char* part : {"aaaaaaaa/aaaaaaaaaaaa", "bbbbbbbbbbbb", "newest, daily 1", "in trash",
                           "until 1970-01-03", "asks first: 15 of 20", "keep-daily 1"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

TEST(RetentionText, says_when_nothing_is_there) {
  EXPECT_EQ(requests_text(Json::array()), "nothing waits for an approval");
  EXPECT_EQ(retention_text(Json::object()), "no rules: everything is kept");
  EXPECT_EQ(retention_plan_text(Json::object()), "");
}

}  // namespace
}  // namespace cb::host
