// SPDX-License-Identifier: Apache-2.0
#include "core/notify/notice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/notify/template.h"
#include "core/notify/throttle.h"

namespace cb::notify {
namespace {

using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;

Template must_parse(const std::string& text) {
  auto parsed = Template::parse(text);
  EXPECT_TRUE(parsed) << parsed.error().text();
  return parsed ? *parsed : *Template::parse("");
}

TEST(Notice, is_cleaned_of_all_that_could_be_more_than_text) {
  const Notice clean = cleaned({"k\r\nind", "ali\x1b[2Jce\n",
                                "s\0e"
                                "t",
                                "", "one\r\nBcc: x", "two\nlines\rand\x07"});
  EXPECT_EQ(clean.kind, "k??ind");
  EXPECT_EQ(clean.account, "ali?[2Jce?");
  EXPECT_EQ(clean.subject, "one??Bcc: x");
  EXPECT_EQ(clean.text, "two\nlines?and?");
}

TEST(Notice, is_cut_between_characters) {
  Notice notice;
  notice.subject = std::string(299, 'x') + "\xc3\xa4 and more";
  EXPECT_EQ(cleaned(notice).subject, std::string(299, 'x') + "...");
}

TEST(Template, puts_values_in_and_leaves_other_braces_alone) {
  Parcel parcel{{"job.failed", "alice", "", "", "verify failed", "Two\nlines"}, {}, "7", "srv"};
  EXPECT_EQ(must_parse("{server}: {subject} {{kind} is {kind} }} { x} {").fill(parcel.values()),
            "srv: verify failed {kind} is job.failed }} { x} {");
}

TEST(Template, refuses_a_placeholder_that_it_does_not_know) {
  const auto parsed = Template::parse("{subject} {acount}");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, Code::invalid);
  EXPECT_EQ(parsed.error().cause, "has the unknown placeholder {acount}");
  EXPECT_THAT(parsed.error().advice, HasSubstr("{account}"));
}

TEST(Template, does_not_read_values_for_placeholders) {
  Parcel parcel{{"k", "{text}", "", "", "s", "secret of another field"}, {}, "7", "srv"};
  EXPECT_EQ(must_parse("{account}").fill(parcel.values()), "{text}");
}

TEST(Template, writes_values_into_json_so_that_they_stay_inside_their_quotes) {
  Parcel parcel{{"k", R"(a","admin":"b\)", "", "", "s", "line\nline"}, {}, "7", "srv"};
  EXPECT_EQ(must_parse(R"({"text": "{account} {text}"})").fill(parcel.values(), in_json),
            R"({"text": "a\",\"admin\":\"b\\ line\nline"})");
}

TEST(Template, details_name_what_is_known) {
  Parcel parcel{{"k", "alice", "", "0a1b", "s", "t"}, {}, "7", "srv"};
  EXPECT_EQ(must_parse("{details}").fill(parcel.values()), "account alice, device 0a1b");
}

class ThrottleTest : public testing::Test {
 protected:
  static Notice notice(const std::string& kind, const std::string& subject) {
    return {kind, "", "", "", subject, "", Severity::warning, 7};
  }
  Throttle throttle_{{2, minutes(10)}};
};

TEST_F(ThrottleTest, lets_so_many_of_a_kind_pass_and_sums_the_rest_up_in_the_next) {
  EXPECT_TRUE(throttle_.admit(notice("a", "1"), minutes(1)));
  EXPECT_TRUE(throttle_.admit(notice("a", "2"), minutes(2)));
  EXPECT_FALSE(throttle_.admit(notice("a", "3"), minutes(3)));
  EXPECT_FALSE(throttle_.admit(notice("a", "4"), minutes(10)));
  EXPECT_TRUE(throttle_.admit(notice("b", "5"), minutes(10)));
  const auto next = throttle_.admit(notice("a", "6"), minutes(11));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->count, 2u);
  EXPECT_THAT(next->subjects, ElementsAre("3", "4"));
  const auto after = throttle_.admit(notice("a", "7"), minutes(11));
  ASSERT_TRUE(after);
  EXPECT_EQ(after->count, 0u);
}

TEST_F(ThrottleTest, tells_by_itself_what_it_held_back_when_no_next_one_comes) {
  for (int i = 0; i < 9; ++i) (void)throttle_.admit(notice("a", std::to_string(i)), minutes(1));
  EXPECT_FALSE(throttle_.summary(minutes(10)));
  EXPECT_EQ(throttle_.next_summary(), minutes(11));
  const auto summary = throttle_.summary(minutes(11));
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->kind, "a");
  EXPECT_EQ(summary->subject, "7 held back of a");
  EXPECT_THAT(summary->text, HasSubstr("- 2\n- 3\n- 4\n- 5\n- 6\n- ..."));
  EXPECT_EQ(summary->severity, Severity::warning);
  EXPECT_FALSE(throttle_.summary(minutes(60)));
  EXPECT_FALSE(throttle_.next_summary());
}

TEST_F(ThrottleTest, one_accounts_flood_leaves_the_others_their_own_share) {
  const auto of = [](const std::string& account) {
    return Notice{"a", account, "", "", "of " + account, "", Severity::alarm, 7};
  };
  for (int i = 0; i < 50; ++i) (void)throttle_.admit(of("eve"), minutes(1));
  const auto next = throttle_.admit(of("alice"), minutes(2));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->count, 48u);
  EXPECT_TRUE(throttle_.admit(of("alice"), minutes(2)));
  EXPECT_FALSE(throttle_.admit(of("alice"), minutes(2)));
  // All of them have a bound, too.
  size_t passed = 4;
  for (int i = 0; i < 50; ++i)
    passed += throttle_.admit(of(std::to_string(i)), minutes(3)).has_value();
  EXPECT_EQ(passed, 8u);
}

TEST_F(ThrottleTest, a_summary_names_each_account_that_was_held_back) {
  throttle_.set_rate({1, minutes(10)});
  const auto of = [](const std::string& account) {
    return Notice{"a", account, "", "", "of " + account, "", Severity::alarm, 7};
  };
  for (int i = 0; i < 4; ++i) (void)throttle_.admit(of("first " + std::to_string(i)), minutes(1));
  for (int i = 0; i < 50; ++i) (void)throttle_.admit(of("eve"), minutes(1));
  for (int i = 0; i < 9; ++i) (void)throttle_.admit(of("late " + std::to_string(i)), minutes(1));
  const auto summary = throttle_.summary(minutes(11));
  ASSERT_TRUE(summary);
  for (int i = 0; i < 9; ++i)
    EXPECT_THAT(summary->text, HasSubstr("- of late " + std::to_string(i)));
  EXPECT_THAT(summary->text,
              HasSubstr("- of eve\n- of eve\n- of eve\n- of eve\n- of eve\n- of late"));
}

TEST_F(ThrottleTest, tells_at_the_end_what_it_still_holds_back) {
  for (int i = 0; i < 3; ++i) (void)throttle_.admit(notice("a", std::to_string(i)), minutes(1));
  const auto rest = throttle_.rest();
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->subject, "1 held back of a");
  EXPECT_FALSE(throttle_.rest());
}

TEST_F(ThrottleTest, without_a_rate_lets_everything_pass) {
  throttle_.set_rate({0, minutes(10)});
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(throttle_.admit(notice("a", ""), minutes(1)));
}

}  // namespace
}  // namespace cb::notify
