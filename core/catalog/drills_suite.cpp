// SPDX-License-Identifier: Apache-2.0
//
// What a Catalog promises about drills.
#include "core/catalog/catalog_suite.h"

namespace cb::catalog {
namespace {

DrillRow drill_of(uint8_t device, int64_t time_ns, bool has_failed = false) {
  DrillRow row;
  row.device.fill(std::byte{device});
  row.time_ns = time_ns;
  row.received_ns = time_ns + 5;
  row.has_failed = has_failed;
  row.record = Bytes(3, std::byte{device});
  return row;
}

std::vector<DrillRow> all_of(Catalog& catalog, int64_t repository) {
  const auto rows = catalog.drills().drills(repository);
  EXPECT_TRUE(rows);
  return rows.value_or(std::vector<DrillRow>());
}

TEST_P(IndexSuite, the_newest_drill_of_each_device_comes_back) {
  EXPECT_TRUE(all_of(*catalog_, repository_).empty());
  ASSERT_TRUE(catalog_->drills().put_drill(repository_, drill_of(2, 100)));
  ASSERT_TRUE(catalog_->drills().put_drill(repository_, drill_of(1, 200, true)));
  ASSERT_TRUE(catalog_->drills().put_drill(repository_, drill_of(2, 300)));
  reopen();
  const auto rows = all_of(*catalog_, repository_);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].device[0], std::byte{1});
  EXPECT_TRUE(rows[0].has_failed);
  EXPECT_EQ(rows[0].passed_ns, 0);
  EXPECT_EQ(rows[1].time_ns, 300);
  EXPECT_EQ(rows[1].received_ns, 305);
  EXPECT_EQ(rows[1].passed_ns, 305);
  EXPECT_EQ(rows[1].record, Bytes(3, std::byte{2}));
}

TEST_P(IndexSuite, a_drill_that_is_no_newer_is_refused_and_changes_nothing) {
  ASSERT_TRUE(catalog_->drills().put_drill(repository_, drill_of(1, 100, true)));
  EXPECT_EQ(catalog_->drills().put_drill(repository_, drill_of(1, 100)).error().code, Code::exists);
  EXPECT_EQ(catalog_->drills().put_drill(repository_, drill_of(1, 99)).error().code, Code::exists);
  EXPECT_TRUE(all_of(*catalog_, repository_).at(0).has_failed);
}

TEST_P(IndexSuite, a_failed_drill_leaves_when_the_last_passed) {
  ASSERT_TRUE(catalog_->drills().put_drill(repository_, drill_of(1, 100)));
  ASSERT_TRUE(catalog_->drills().put_drill(repository_, drill_of(1, 200, true)));
  EXPECT_TRUE(all_of(*catalog_, repository_).at(0).has_failed);
  EXPECT_EQ(all_of(*catalog_, repository_).at(0).passed_ns, 105);
}

TEST_P(IndexSuite, what_was_told_of_a_missing_drill_is_remembered) {
  EXPECT_EQ(*catalog_->drills().missing_since(repository_), std::nullopt);
  ASSERT_TRUE(catalog_->drills().set_missing(repository_, 7));
  reopen();
  EXPECT_EQ(*catalog_->drills().missing_since(repository_), std::optional<int64_t>(7));
  ASSERT_TRUE(catalog_->drills().set_missing(repository_, std::nullopt));
  ASSERT_TRUE(catalog_->drills().set_missing(repository_, std::nullopt));
  EXPECT_EQ(*catalog_->drills().missing_since(repository_), std::nullopt);
}

}  // namespace
}  // namespace cb::catalog
