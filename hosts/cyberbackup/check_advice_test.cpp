// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/check_advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cb {
namespace {

using client::WitnessFinding;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

CheckOutcome found(client::DamageCounts counts, bool read_data = false) {
  CheckOutcome outcome;
  outcome.read_data = read_data;
  outcome.snapshots.counts = counts;
  outcome.snapshots.damage_count = counts.present + counts.past + counts.records + counts.histories;
  return outcome;
}

std::vector<std::string> advice_for(std::initializer_list<WitnessFinding::Kind> kinds) {
  std::vector<WitnessFinding> findings;
  for (const auto kind : kinds) findings.push_back({kind, {}, "something is wrong"});
  return advice_of(findings);
}

// At most two, as people count them.
size_t sentences(const std::string& text) {
  size_t ends = text.back() == '.' ? 1 : 0;
  for (size_t i = 0; i + 1 < text.size(); ++i) ends += text.compare(i, 2, ". ") == 0 ? 1 : 0;
  return ends;
}

TEST(CheckAdvice, where_nothing_is_wrong_nothing_is_to_be_done) {
  EXPECT_THAT(advice_of(found({}, true)), ElementsAre("Nothing needs to be done."));
  EXPECT_THAT(advice_of(found({})), ElementsAre(AllOf(HasSubstr("Nothing needs to be done"),
                                                      HasSubstr("check --read-data"))));
}

TEST(CheckAdvice, what_could_not_be_read_is_the_operator_s) {
  CheckOutcome outcome = found({}, true);
  outcome.copies.unread = 3;
  EXPECT_THAT(advice_of(outcome), ElementsAre(HasSubstr("cyberbackupd check --read-data")));
}

TEST(CheckAdvice, what_the_newest_snapshots_need_heals_by_the_next_backup) {
  client::DamageCounts counts;
  counts.present = 2;
  EXPECT_THAT(advice_of(found(counts)),
              ElementsAre(AllOf(HasSubstr("2 damages can heal"), HasSubstr("`cyberbackup backup`"),
                                Not(HasSubstr("job run verify")))));
}

TEST(CheckAdvice, what_only_reading_found_the_server_has_to_notice_first) {
  client::DamageCounts counts;
  counts.present = 1;
  EXPECT_THAT(advice_of(found(counts, true)),
              ElementsAre(AllOf(HasSubstr("1 damage can heal"), HasSubstr("job run verify"))));
}

TEST(CheckAdvice, what_only_older_snapshots_need_cannot_heal) {
  client::DamageCounts counts;
  counts.past = 4;
  EXPECT_THAT(advice_of(found(counts)),
              ElementsAre(AllOf(HasSubstr("4 damages cannot heal"), HasSubstr("another snapshot"),
                                Not(HasSubstr("cyberbackup backup")))));
}

TEST(CheckAdvice, records_are_not_made_again) {
  client::DamageCounts counts;
  counts.records = 1;
  EXPECT_THAT(advice_of(found(counts)), ElementsAre(HasSubstr("no backup makes them again")));
}

TEST(CheckAdvice, another_history_comes_first_and_calls_for_the_operator) {
  client::DamageCounts counts;
  counts.present = counts.past = counts.records = counts.histories = 1;
  const auto advice = advice_of(found(counts));
  ASSERT_EQ(advice.size(), 4u);
  EXPECT_THAT(advice[0], AllOf(HasSubstr("another history"), HasSubstr("operator"),
                               HasSubstr("check --against")));
}

TEST(CheckAdvice, a_device_that_is_to_blame_is_put_out_by_its_id) {
  CheckOutcome outcome = found({}, true);
  outcome.copies.poisoned_count = 2;
  outcome.poisoners = {"00aa", "00bb"};
  EXPECT_THAT(advice_of(outcome),
              ElementsAre(AllOf(HasSubstr("`cyberbackup device revoke 00aa`, "),
                                HasSubstr("`cyberbackup device revoke 00bb`"))));
}

TEST(CheckAdvice, nobody_is_put_out_without_proof) {
  CheckOutcome outcome = found({}, true);
  outcome.copies.poisoned_count = 1;
  EXPECT_THAT(advice_of(outcome),
              ElementsAre(AllOf(HasSubstr("not proven"), Not(HasSubstr("revoke")))));
}

TEST(CheckAdvice, of_a_witness_each_finding_says_what_to_do) {
  using Kind = WitnessFinding::Kind;
  EXPECT_THAT(advice_for({}), ElementsAre(HasSubstr("Nothing needs to be done")));
  for (const Kind kind : {Kind::other_server, Kind::older, Kind::forked})
    EXPECT_THAT(advice_for({kind}), ElementsAre(HasSubstr("--accept-rollback")));
  EXPECT_THAT(advice_for({Kind::missing, Kind::missing}), ElementsAre(HasSubstr("audit log")));
  EXPECT_THAT(advice_for({Kind::trash}), ElementsAre(HasSubstr("cyberbackup undelete")));
  EXPECT_EQ(advice_for({Kind::older, Kind::missing, Kind::trash}).size(), 3u);
}

TEST(CheckAdvice, is_short) {
  client::DamageCounts counts;
  counts.present = counts.past = counts.records = counts.histories = 1;
  CheckOutcome outcome = found(counts, true);
  outcome.copies.poisoned_count = 1;
  std::vector<std::string> all = advice_of(outcome);
  outcome.poisoners = {"00aa"};
  for (const std::string& text : advice_of(outcome)) all.push_back(text);
  for (const auto& text : advice_for({WitnessFinding::Kind::older, WitnessFinding::Kind::missing,
                                      WitnessFinding::Kind::trash}))
    all.push_back(text);
  for (const std::string& text : all) EXPECT_LE(sentences(text), 2u) << text;
}

}  // namespace
}  // namespace cb
