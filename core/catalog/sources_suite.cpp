// SPDX-License-Identifier: Apache-2.0
//
// What a Catalog promises about sources: wishes, states, history, claims and alarms.
#include "core/catalog/catalog_suite.h"

namespace cb::catalog {
namespace {

constexpr int64_t kNow = 1'800'000'000'000'000'000;

Bytes source_of(uint8_t number) { return Bytes(48, std::byte{number}); }

SourceBackup backup_of(uint64_t sequence, uint8_t source = 1) {
  SourceBackup backup;
  backup.sequence = sequence;
  backup.source = source_of(source);
  backup.snapshot.fill(std::byte{static_cast<uint8_t>(sequence)});
  backup.time_ns = kNow + static_cast<int64_t>(sequence);
  backup.is_compared = true;
  backup.figures = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, sequence};
  backup.score = 12;
  backup.reasons = "87 % of the stored bytes were replaced";
  return backup;
}

TEST_P(SourcesSuite, wishes_come_back_the_repositorys_first_and_are_replaced_and_removed) {
  const SourceWish all{{}, false, 5, 6, 7, "uid 0 (root)"};
  SourceWish one{source_of(3), true, 0, 0, 8, "uid 7"};
  ASSERT_TRUE(sources().set_wish(repository_, one));
  ASSERT_TRUE(sources().set_wish(repository_, all));
  reopen();
  EXPECT_EQ(*sources().wishes(repository_), (std::vector<SourceWish>{all, one}));
  one.never = false;
  ASSERT_TRUE(sources().set_wish(repository_, one));
  EXPECT_EQ(sources().wishes(repository_)->back(), one);
  ASSERT_TRUE(sources().remove_wish(repository_, one.source));
  EXPECT_EQ(sources().remove_wish(repository_, one.source).error().code, Code::not_found);
  EXPECT_EQ(sources().wishes(repository_)->size(), 1U);
}

TEST_P(SourcesSuite, a_source_of_another_length_and_a_strange_repository_are_refused) {
  EXPECT_FALSE(sources().set_wish(repository_, {Bytes(47), false, 1, 1, 1, ""}));
  EXPECT_FALSE(sources().set_wish(repository_ + 99, {}));
  EXPECT_FALSE(sources().set_state(repository_, {}));
  SourceBackup backup = backup_of(1);
  backup.source.pop_back();
  EXPECT_FALSE(sources().add_backup(repository_, backup, 9));
  EXPECT_EQ(*sources().looked_at(repository_), 0U) << "all of a step or nothing";
}

TEST_P(SourcesSuite, a_state_comes_back_and_is_replaced) {
  EXPECT_FALSE(sources().state(repository_, source_of(1))->has_value());
  SourceState state{source_of(1),  1, 2, "weekday", 3, 4, 5, Bytes(32, std::byte{9}),
                    "most is gone"};
  ASSERT_TRUE(sources().set_state(repository_, state));
  reopen();
  EXPECT_EQ(**sources().state(repository_, source_of(1)), state);
  state.normal.clear();
  state.frozen_ns = 0;
  ASSERT_TRUE(sources().set_state(repository_, state));
  EXPECT_EQ(*sources().states(repository_), (std::vector<SourceState>{state}));
}

TEST_P(SourcesSuite, sources_are_counted_by_device_and_dropped_with_their_history) {
  for (uint8_t number = 1; number <= 3; ++number) {
    SourceState state;
    state.source = source_of(1);
    state.source.back() = std::byte{number};
    ASSERT_TRUE(sources().set_state(repository_, state));
  }
  SourceState other;
  other.source = source_of(0xff);
  ASSERT_TRUE(sources().set_state(repository_, other));
  EXPECT_EQ(*sources().count(repository_, {}), 4U);
  EXPECT_EQ(*sources().count(repository_, Bytes(16, std::byte{1})), 3U);
  EXPECT_EQ(*sources().count(repository_, Bytes(16, std::byte{0xff})), 1U);
  EXPECT_EQ(*sources().count(repository_, Bytes(16, std::byte{2})), 0U);
  ASSERT_TRUE(sources().add_backup(repository_, backup_of(1, 0xff), 4));
  ASSERT_TRUE(sources().drop(repository_, other.source));
  ASSERT_TRUE(sources().drop(repository_, other.source)) << "nothing is there";
  reopen();
  EXPECT_EQ(*sources().count(repository_, {}), 3U);
  EXPECT_TRUE(sources().times(repository_, other.source)->empty());
}

TEST_P(SourcesSuite, a_snapshot_that_is_passed_over_leaves_no_claim) {
  const SourceBackup backup = backup_of(5);
  ASSERT_TRUE(sources().put_claim(repository_, backup.snapshot, {1, 2, 3, 4, 5, 6, 7}));
  ASSERT_TRUE(sources().pass_over(repository_, 5, backup.snapshot));
  EXPECT_FALSE(sources().claim(repository_, backup.snapshot)->has_value());
  EXPECT_EQ(*sources().looked_at(repository_), 5U);
  EXPECT_TRUE(sources().times(repository_, backup.source)->empty());
}

TEST_P(SourcesSuite, a_history_is_kept_up_to_its_length_and_source_by_source) {
  for (uint64_t sequence = 1; sequence <= 10; ++sequence)
    ASSERT_TRUE(sources().add_backup(repository_, backup_of(sequence), 4));
  SourceBackup other = backup_of(11, 2);
  other.claim = SourceClaim{1, 2, 3, 4, 5, 6, ~uint64_t{0}};
  other.is_odd = true;
  ASSERT_TRUE(sources().add_backup(repository_, other, 4));
  reopen();
  EXPECT_EQ(*sources().backups(repository_, source_of(1), 99),
            (std::vector<SourceBackup>{backup_of(7), backup_of(8), backup_of(9), backup_of(10)}));
  EXPECT_EQ(*sources().backups(repository_, source_of(1), 1),
            (std::vector<SourceBackup>{backup_of(10)}));
  EXPECT_EQ(*sources().backups(repository_, source_of(2), 9), (std::vector<SourceBackup>{other}));
  EXPECT_EQ(sources().times(repository_, source_of(1))->size(), 4U);
  EXPECT_EQ(sources().times(repository_, source_of(1))->front(), kNow + 7);
  EXPECT_EQ(*sources().looked_at(repository_), 11U);
  ASSERT_TRUE(sources().set_looked_at(repository_, 20));
  EXPECT_EQ(*sources().looked_at(repository_), 20U);
}

TEST_P(SourcesSuite, a_claim_waits_until_its_backup_is_added) {
  const SourceBackup backup = backup_of(5);
  const SourceClaim claim{1, 2, 3, 4, 5, 6, 7};
  EXPECT_FALSE(sources().claim(repository_, backup.snapshot)->has_value());
  ASSERT_TRUE(sources().put_claim(repository_, backup.snapshot, claim));
  EXPECT_EQ(**sources().claim(repository_, backup.snapshot), claim);
  ASSERT_TRUE(sources().add_backup(repository_, backup, 9));
  EXPECT_FALSE(sources().claim(repository_, backup.snapshot)->has_value());
}

TEST_P(SourcesSuite, an_alarm_is_raised_once_until_it_is_over) {
  EXPECT_FALSE(*sources().clear("store.low"));
  EXPECT_TRUE(*sources().raise("store.low", kNow));
  reopen();
  EXPECT_TRUE(*sources().is_raised("store.low"));
  EXPECT_FALSE(*sources().is_raised("store.full"));
  EXPECT_FALSE(*sources().raise("store.low", kNow + 1));
  EXPECT_TRUE(*sources().raise("job.failed verify", kNow));
  EXPECT_TRUE(*sources().clear("store.low"));
  EXPECT_FALSE(*sources().clear("store.low"));
  EXPECT_TRUE(*sources().raise("store.low", kNow + 2));
}

}  // namespace
}  // namespace cb::catalog
