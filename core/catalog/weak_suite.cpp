// SPDX-License-Identifier: Apache-2.0
//
// What Index and Collection promise of signatures and recipes, as tests.
#include "core/catalog/index_suite.h"

namespace cb::catalog {
namespace {

TEST_P(WeakSuite, a_view_is_told_its_own_and_open_ones_the_newest_first) {
  put(1, mine_, {blob(1), weak(2, {1})});
  put(2, kOpenDomain, {blob(3), weak(4, {3}), blob(5, {3})});
  put(3, theirs_, {blob(1), weak(6, {1})});
  put(4, mine_, {weak(7, {1, 3}, kRecipe)});
  const std::vector<uint64_t> mine = {7, 4, 2};
  EXPECT_EQ(told({mine_}), mine);
  for (const size_t most : {1, 2, 3}) EXPECT_EQ(told({mine_}, most), mine) << most;
  EXPECT_EQ(told({}), std::vector<uint64_t>{4});
  EXPECT_EQ(told({theirs_}), (std::vector<uint64_t>{6, 4}));
  condemn(mine_, 7);
  condemn(kOpenDomain, 4);
  EXPECT_EQ(told({mine_}), std::vector<uint64_t>{2});
  put(5, kOpenDomain, {weak(4, {3})});
  EXPECT_EQ(told({mine_}), (std::vector<uint64_t>{4, 2}));
}

TEST_P(WeakSuite, what_an_upload_alone_sees_is_told_to_nobody) {
  const int64_t intake = *index().new_intake(repository_);
  const std::array<BlobRow, 2> rows = {blob(1), weak(2, {1})};
  ASSERT_TRUE(index().add_pack(repository_, pack(1, intake), rows, {}));
  EXPECT_TRUE(told({}).empty());
  EXPECT_TRUE(told({mine_}).empty());
}

TEST_P(WeakSuite, no_walk_meets_one_and_no_verdict_opens_it) {
  put(1, mine_, {blob(1), weak(2, {1})});
  EXPECT_TRUE(sees({mine_}, 2));
  EXPECT_FALSE(link({mine_}, 2));
  EXPECT_FALSE((*index().have(repository_, {mine_}, std::array<Bytes32, 1>{id_of(2)}, false))[0]);
  const auto copies = index().copies(repository_, 0, 9);
  for (const auto& copy : *copies) EXPECT_EQ(copy.kind, 1);
  EXPECT_EQ(open_up(mine_, {1, 2}), 1u);
  EXPECT_TRUE(sees({}, 1));
  EXPECT_FALSE(sees({}, 2));
  // Nor does a node come that names one.
  put(2, kOpenDomain, {weak(3, {1})});
  put(3, mine_, {blob(4, {3})});
  EXPECT_EQ(open_up(mine_, {4}), 0u);
}

TEST_P(WeakSuite, one_is_in_no_others_way_and_takes_no_others_place) {
  put(1, mine_, {weak(1, {9}), weak(2, {9})});
  put(2, mine_, {blob(1)});
  EXPECT_EQ(link({mine_}, 1)->kind, 1);
  EXPECT_EQ(place({mine_}, 1), 2u);
  EXPECT_EQ(blobs_of(1), 1u);
  put(3, mine_, {weak(1, {9})});
  EXPECT_EQ(place({mine_}, 1), 2u);
  condemn(mine_, 1);
  put(4, mine_, {weak(1, {9})});
  EXPECT_FALSE(sees({mine_}, 1)) << "what is damaged is still to be sent again";
  condemn(mine_, 2);
  put(5, mine_, {weak(2, {9})});
  EXPECT_EQ(place({mine_}, 2), 5u);
}

TEST_P(WeakSuite, one_describes_what_lives_when_each_child_is_living_data_that_it_sees) {
  put(1, kOpenDomain, {blob(1), blob(2), blob(3, {1})});
  put(2, theirs_, {blob(4)});
  put(3, mine_,
      {blob(5), weak(10, {1}), weak(11, {5}), weak(12, {1, 5, 2}, kRecipe), weak(13, {4}),
       weak(14, {1, 4}, kRecipe), weak(15, {3}), weak(16, {15}), weak(17, {99})});
  put(4, kOpenDomain, {weak(18, {5}), weak(19, {2})});
  const auto describe = [&](uint64_t number, uint64_t in_pack, const Collection::Lives& lives) {
    const std::array rows_asked = {row(number, in_pack).number};
    const std::vector<bool> answers = *rows().describe_live(repository_, rows_asked, lives);
    return answers.size() == 1 && answers[0];
  };
  const auto all = [](const MarkedRow&) { return true; };
  for (const uint64_t number : {10, 11, 12}) EXPECT_TRUE(describe(number, 3, all)) << number;
  for (const uint64_t number : {5, 13, 14, 15, 16, 17})
    EXPECT_FALSE(describe(number, 3, all)) << number;
  EXPECT_FALSE(describe(18, 4, all));
  EXPECT_TRUE(describe(19, 4, all));
  const int64_t dead_row = row(5, 3).number;
  const auto but_one = [&](const MarkedRow& met) { return met.number != dead_row; };
  EXPECT_TRUE(describe(10, 3, but_one));
  EXPECT_FALSE(describe(11, 3, but_one));
  EXPECT_FALSE(describe(12, 3, but_one));
  const int64_t pack_3 = held(3).number;
  EXPECT_FALSE(describe(11, 3, [&](const MarkedRow& met) { return met.pack != pack_3; }));
  // What a verdict condemned is sent again; what a collection did is not expected to be.
  condemn(kOpenDomain, 2);
  EXPECT_TRUE(describe(19, 4, all));
  EXPECT_EQ(condemn_dead(2, 1), 1u);
  EXPECT_FALSE(describe(19, 4, all));
  // A row that is gone, and one that is damaged.
  const std::array none = {int64_t{9999}};
  EXPECT_FALSE((*rows().describe_live(repository_, none, all))[0]);
  ASSERT_TRUE(
      catalog_->verification().want(repository_, mine_, std::array<Bytes32, 1>{id_of(10)}, 5));
  EXPECT_FALSE(describe(10, 3, all));
  EXPECT_EQ(*catalog_->verification().count_wanted(repository_, {mine_}), 0u);
}

TEST_P(WeakSuite, the_mark_meets_one_without_children) {
  put(1, kOpenDomain, {blob(1), weak(2, {1})});
  size_t weak_rows = 0;
  size_t below = 0;
  const auto take = [&](const MarkedRow& met) {
    weak_rows += met.is_weak ? 1 : 0;
    EXPECT_FALSE(met.has_children);
  };
  ASSERT_TRUE(rows().read_pack(held(1).number, take, [&](ByteView) { ++below; }));
  ASSERT_TRUE(rows().rows_of(repository_, std::array<Bytes32, 1>{id_of(2)}, take));
  EXPECT_EQ(weak_rows, 2u);
  EXPECT_EQ(below, 0u);
}

TEST_P(WeakSuite, one_that_a_collection_condemned_is_taken_back_unless_it_is_damaged) {
  put(1, mine_, {blob(1), weak(2, {1}), weak(3, {1}), weak(4, {1})});
  for (const uint64_t number : {1, 2, 3}) EXPECT_EQ(condemn_dead(number, 1), 1u);
  condemn(mine_, 4);
  ASSERT_TRUE(
      catalog_->verification().want(repository_, mine_, std::array<Bytes32, 1>{id_of(3)}, 5));
  std::vector<DeadRow> all;
  for (const uint64_t number : {1, 2, 3, 4}) all.push_back(dead(number, 1));
  EXPECT_EQ(*rows().take_back(all), 1u);
  EXPECT_TRUE(sees({mine_}, 2));
  for (const uint64_t number : {1, 3, 4}) EXPECT_FALSE(sees({mine_}, number)) << number;
  EXPECT_EQ(told({mine_}), std::vector<uint64_t>{2});
  EXPECT_EQ(*rows().take_back(std::array{DeadRow{all[1].number, 9999}}), 0u);
}

}  // namespace
}  // namespace cb::catalog
