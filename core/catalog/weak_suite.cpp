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

}  // namespace
}  // namespace cb::catalog
