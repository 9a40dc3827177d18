// SPDX-License-Identifier: Apache-2.0
//
// What a catalog promises to collection and compaction.
#include <set>

#include "core/catalog/index_suite.h"

namespace cb::catalog {
namespace {

TEST_P(CollectionSuite, the_mark_meets_all_rows_of_an_id_and_what_they_name) {
  put(1, mine_, {blob(1), blob(2, {1, 3})});
  put(2, kOpenDomain, {blob(2, {1})});
  condemn(mine_, 2);
  std::vector<MarkedRow> met;
  const auto without = rows().rows_of(repository_, std::array<Bytes32, 2>{id_of(77), id_of(2)},
                                      [&](const MarkedRow& one) { met.push_back(one); });
  ASSERT_TRUE(without);
  EXPECT_EQ(*without, std::vector<Bytes32>{id_of(77)});
  ASSERT_EQ(met.size(), 2u);
  std::set<size_t> sizes;
  for (const MarkedRow& one : met) {
    EXPECT_TRUE(one.has_children);
    EXPECT_EQ(one.session, short_id(1));
    ASSERT_TRUE(rows().children_of(std::array<int64_t, 2>{one.number, 999'999},
                                   [&](ByteView below) { sizes.insert(below.size()); }));
  }
  EXPECT_EQ(sizes, (std::set<size_t>{32, 64}));
}

TEST_P(CollectionSuite, a_pack_is_read_with_its_rows_alone) {
  put(1, kOpenDomain, {blob(1)});
  put(2, kOpenDomain, {blob(1), blob(2, {1})});
  size_t count = 0;
  size_t bytes = 0;
  ASSERT_TRUE(rows().read_pack(
      held(2).number, [&](const MarkedRow&) { ++count; },
      [&](ByteView below) { bytes += below.size(); }));
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(bytes, 32u);
}

TEST_P(CollectionSuite, what_is_condemned_is_missing_until_it_is_sent_again_and_then_not_closed) {
  put(1, kOpenDomain, {blob(1), blob(2, {1})});
  close({}, 2);
  EXPECT_EQ(condemn_dead(2, 1), 1u);
  EXPECT_FALSE(sees({}, 2));
  EXPECT_EQ(row(2, 1).condemned_ns, 1000);
  put(2, kOpenDomain, {blob(2, {1})});
  ASSERT_TRUE(sees({}, 2));
  EXPECT_FALSE(link({}, 2)->closed);
  EXPECT_EQ(row(2, 2).condemned_ns, 0);
  EXPECT_FALSE(row(2, 2).condemned);
}

TEST_P(CollectionSuite, condemning_the_dead_leaves_others_closed) {
  put(1, kOpenDomain, {blob(1), blob(2, {1}), blob(3)});
  close({}, 2);
  EXPECT_EQ(condemn_dead(3, 1), 1u);
  EXPECT_TRUE(link({}, 2)->closed);
}

TEST_P(CollectionSuite, unclosing_takes_nothing_from_blobs_without_children) {
  put(1, kOpenDomain, {blob(1), blob(2, {1})});
  close({}, 2);
  const std::array<int64_t, 2> numbers = {row(1, 1).number, row(2, 1).number};
  ASSERT_TRUE(rows().unclose(numbers));
  EXPECT_TRUE(link({}, 1)->closed);
  EXPECT_FALSE(link({}, 2)->closed);
}

TEST_P(CollectionSuite, a_row_that_moved_or_is_dated_is_not_condemned_again) {
  put(1, kOpenDomain, {blob(1)});
  const DeadRow before = dead(1, 1);
  EXPECT_EQ(condemn_dead(1, 1, 1000), 1u);
  EXPECT_EQ(condemn_dead(1, 1, 2000), 0u);
  EXPECT_EQ(row(1, 1).condemned_ns, 1000);
  put(2, kOpenDomain, {blob(1)});
  EXPECT_EQ(*rows().condemn_dead(std::array<DeadRow, 1>{before}, 3000), 0u);
  EXPECT_TRUE(sees({}, 1));
}

TEST_P(CollectionSuite, private_rows_are_not_condemned) {
  const int64_t intake = *index().new_intake(repository_);
  PackRow mine = pack(1, intake);
  mine.domain = intake;
  ASSERT_TRUE(index().add_pack(repository_, mine, std::array<BlobRow, 1>{blob(1)}, {}));
  EXPECT_EQ(condemn_dead(1, 1), 0u);
}

TEST_P(CollectionSuite, a_sweep_takes_what_a_collection_condemned_long_enough_ago_and_no_more) {
  put(1, kOpenDomain, {blob(1), blob(2)});
  condemn(kOpenDomain, 2);  // by a verdict
  const DeadRow one = dead(1, 1);
  const DeadRow two = dead(2, 1);
  EXPECT_EQ(sweep(one, 5000), 0u);  // not condemned
  EXPECT_EQ(condemn_dead(1, 1), 1u);
  EXPECT_EQ(sweep(one, 999), 0u);
  EXPECT_EQ(sweep({one.number, one.pack + 1}, 1000), 0u);
  EXPECT_EQ(sweep(two, 5000), 0u);
  EXPECT_EQ(sweep(one, 1000), 1u);
  EXPECT_EQ(sweep(one, 1000), 0u);
  EXPECT_EQ(blobs_of(1), 1u);
  EXPECT_EQ(garbage_of(1), 100u);
  EXPECT_EQ(condemn_dead(2, 1), 1u);  // dead, too: dated
  EXPECT_EQ(sweep(two, 1000), 1u);
}

TEST_P(CollectionSuite, what_was_sent_again_is_not_swept) {
  put(1, kOpenDomain, {blob(1)});
  const DeadRow one = dead(1, 1);
  EXPECT_EQ(condemn_dead(1, 1), 1u);
  put(2, kOpenDomain, {blob(1)});
  EXPECT_EQ(sweep(one, 5000), 0u);
  EXPECT_EQ(place({}, 1), 2u);
}

TEST_P(CollectionSuite, a_pack_retires_and_goes_only_without_rows) {
  put(1, kOpenDomain, {blob(1)});
  const HeldPack one = held(1);
  EXPECT_FALSE(*rows().retire(one.number, 2000));
  EXPECT_FALSE(*rows().remove_pack(one.number, 9000));
  EXPECT_EQ(condemn_dead(1, 1), 1u);
  EXPECT_FALSE(*rows().retire(one.number, 2000));
  EXPECT_EQ(sweep(dead(1, 1), 1000), 1u);
  EXPECT_FALSE(*rows().remove_pack(one.number, 9000));  // did not retire yet
  EXPECT_TRUE(*rows().retire(one.number, 2000));
  EXPECT_EQ(held(1).retired_ns, 2000);
  EXPECT_FALSE(*rows().retire(one.number, 3000));
  EXPECT_FALSE(*rows().remove_pack(one.number, 1999));
  EXPECT_TRUE(*rows().remove_pack(one.number, 2000));
  EXPECT_FALSE(*index().knows_pack(repository_, one.name));
}

TEST_P(CollectionSuite, a_private_pack_does_not_retire) {
  const int64_t intake = *index().new_intake(repository_);
  ASSERT_TRUE(index().add_pack(repository_, pack(1, intake), {}, {}));
  EXPECT_FALSE(*rows().retire(held(1).number, 2000));
}

TEST_P(CollectionSuite, blobs_move_with_their_counts_and_stay_closed) {
  put(1, kOpenDomain, {blob(1), blob(2, {1})});
  close({}, 2);
  EXPECT_EQ(move(2, 1, 5), 1u);
  EXPECT_EQ(place({}, 2), 5u);
  EXPECT_EQ(row(2, 5).offset, 4'002u);
  EXPECT_TRUE(link({}, 2)->closed);
  EXPECT_EQ(blobs_of(1), 1u);
  EXPECT_EQ(garbage_of(1), 100u);
  EXPECT_EQ(blobs_of(5), 1u);
  EXPECT_EQ(garbage_of(5), 0u);
}

TEST_P(CollectionSuite, what_changed_meanwhile_does_not_move) {
  put(1, mine_, {blob(1), blob(2), blob(3)});
  const int64_t from = held(1).number;
  std::vector<BlobMove> moves;
  for (const uint64_t number : {1, 2, 3}) moves.push_back({row(number, 1), from, 4'000 + number});
  condemn(mine_, 1);
  EXPECT_EQ(open_up(mine_, {2}), 1u);
  EXPECT_EQ(*rows().move_blobs(repository_, pack(5), moves), 1u);
  EXPECT_EQ(garbage_of(5), 200u);
  EXPECT_EQ(blobs_of(1), 2u);
  EXPECT_EQ(place({}, 2), 1u);
  EXPECT_EQ(place({mine_}, 3), 5u);
}

TEST_P(CollectionSuite, nothing_is_closed_by_being_opened_up_while_a_collection_runs) {
  put(1, mine_, {blob(1), blob(2, {1})});
  EXPECT_EQ(open_up(mine_, {1, 2}, false), 2u);
  EXPECT_TRUE(link({}, 1)->closed);
  EXPECT_FALSE(link({}, 2)->closed);
}

}  // namespace
}  // namespace cb::catalog
