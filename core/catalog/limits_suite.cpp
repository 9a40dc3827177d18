// SPDX-License-Identifier: Apache-2.0
//
// What a Catalog promises about limits, and about whom stored bytes count for.
#include "core/catalog/index_suite.h"

namespace cb::catalog {
namespace {

TEST_P(LimitsSuite, a_limit_comes_back_as_it_was_set_and_a_new_value_replaces_it) {
  ASSERT_TRUE(limits().set_limits(account_, {{{}, "stored", 500, 7, "uid 0 (root)"},
                                             {mine_, "sessions", 3, 8, "uid 0 (root)"}}));
  ASSERT_TRUE(limits().set_limits(account_, {{{}, "stored", 0, 9, "uid 7 (eve)"}}));
  reopen();
  const auto all = limits().limits(account_);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ(all->at(0).device, Bytes16{});
  EXPECT_EQ(all->at(0).name, "stored");
  EXPECT_EQ(all->at(0).value, 0U);
  EXPECT_EQ(all->at(0).set_ns, 9);
  EXPECT_EQ(all->at(0).set_by, "uid 7 (eve)");
  EXPECT_EQ(all->at(1).device, mine_);
  EXPECT_EQ(all->at(1).value, 3U);
}

TEST_P(LimitsSuite, a_limit_that_is_taken_away_leaves_the_others) {
  ASSERT_TRUE(limits().set_limits(
      account_, {{{}, "stored", 500, 7, ""}, {{}, "soft", 400, 7, ""}, {mine_, "soft", 3, 8, ""}}));
  ASSERT_TRUE(limits().remove_limits(account_, {}, {"soft", "grace"}));
  const auto all = limits().limits(account_);
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ(all->at(0).name, "stored");
  EXPECT_EQ(all->at(1).device, mine_);
}

TEST_P(LimitsSuite, an_unknown_account_has_no_limits_and_takes_none) {
  expect_code(limits().set_limits(account_ + 1, {{{}, "stored", 500, 7, ""}}), Code::not_found);
  expect_code(limits().set_over_soft(account_ + 1, {{}, 7}), Code::not_found);
  EXPECT_TRUE(limits().limits(account_ + 1)->empty());
  EXPECT_TRUE(limits().usage(account_ + 1)->empty());
}

TEST_P(LimitsSuite, since_when_a_soft_limit_is_exceeded_is_remembered_until_it_is_not) {
  ASSERT_TRUE(limits().set_over_soft(account_, {{}, 70}));
  ASSERT_TRUE(limits().set_over_soft(account_, {mine_, 80}));
  ASSERT_TRUE(limits().set_over_soft(account_, {{}, 0}));
  reopen();
  const auto all = limits().over_soft(account_);
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->at(0).device, mine_);
  EXPECT_EQ(all->at(0).since_ns, 80);
}

TEST_P(LimitsSuite, a_pack_counts_for_who_put_it) {
  put(1, mine_, 1000);
  put(2, theirs_, 300);
  put(3, mine_, 50);
  reopen();
  EXPECT_EQ(usage(mine_).pack_bytes, 1050U);
  EXPECT_EQ(usage(theirs_).pack_bytes, 300U);
}

TEST_P(LimitsSuite, a_private_pack_counts_until_it_is_dropped_and_for_good_when_it_is_committed) {
  const int64_t dropped = *index().new_intake(repository_);
  const int64_t kept = *index().new_intake(repository_);
  put(1, {}, 1000, dropped);
  put(2, {}, 300, kept);
  EXPECT_EQ(usage({}).pack_bytes, 1300U);
  ASSERT_TRUE(index().drop_intake(dropped));
  EXPECT_EQ(usage({}).pack_bytes, 300U);
  ASSERT_TRUE(index().mark_intake(kept, short_id(501)));
  ASSERT_TRUE(index().add_commit(repository_, commit(1, 1, 77), {}));
  EXPECT_EQ(usage({}).pack_bytes, 300U);
}

TEST_P(LimitsSuite, a_pack_that_is_not_added_counts_for_nobody) {
  put(1, mine_, 1000);
  PackRow again = pack(1);
  again.device = theirs_;
  expect_code(index().add_pack(repository_, again, {}, {}), Code::exists);
  EXPECT_EQ(usage(theirs_).pack_bytes, 0U);
}

TEST_P(LimitsSuite, commit_records_count_for_their_device_and_tell_what_the_session_stored) {
  CommitRow row = commit(1, 1, 77);
  row.device = mine_;
  CommitEffect effect;
  effect.growth = 4000;
  ASSERT_TRUE(index().add_commit(repository_, row, effect));
  CommitRow forget = commit(2, 2, 77);
  forget.device = mine_;
  ASSERT_TRUE(index().add_commit(repository_, forget, {}));
  EXPECT_EQ(usage(mine_).record_bytes, row.record.size() + forget.record.size());
  EXPECT_EQ(usage(mine_).growth, 4000U) << "a record that tells nothing leaves what is known";
}

TEST_P(LimitsSuite, a_compaction_changes_nobodys_sum_and_retiring_its_sources_frees_the_rest) {
  put(1, mine_, 1000);
  put(2, theirs_, 3000);
  compact(3, 600, {1, 2});  // two blobs of the same size
  EXPECT_EQ(usage(mine_).pack_bytes, 1000U);
  EXPECT_EQ(usage(theirs_).pack_bytes, 3000U);
  EXPECT_TRUE(*catalog_->collection().retire(held(1).number, 2000));
  EXPECT_TRUE(*catalog_->collection().retire(held(2).number, 2000));
  EXPECT_EQ(usage(mine_).pack_bytes, 300U);
  EXPECT_EQ(usage(theirs_).pack_bytes, 300U);
  EXPECT_TRUE(*catalog_->collection().remove_pack(held(1).number, 2000));
  EXPECT_EQ(usage(mine_).pack_bytes, 300U) << "a retired pack counted for nobody";
}

TEST_P(LimitsSuite, a_pack_of_two_devices_stays_of_both_when_it_is_compacted_again) {
  put(1, mine_, 1000);
  put(2, theirs_, 3000);
  compact(3, 600, {1, 2});
  for (const uint64_t source : {1, 2})
    EXPECT_TRUE(*catalog_->collection().retire(held(source).number, 2000));
  const int64_t from = held(3).number;
  std::vector<BlobMove> moves;
  const auto rows = catalog_->collection().rows_in(from);
  ASSERT_TRUE(rows);
  for (const HeldBlob& row : *rows) moves.push_back({row, from, row.offset + 1});
  PackRow row = pack(4);
  row.size = 500;
  ASSERT_EQ(catalog_->collection().move_blobs(repository_, row, moves).value_or(0), 2U);
  EXPECT_TRUE(*catalog_->collection().retire(from, 3000));
  EXPECT_EQ(usage(mine_).pack_bytes, 250U);
  EXPECT_EQ(usage(theirs_).pack_bytes, 250U);
}

}  // namespace
}  // namespace cb::catalog
