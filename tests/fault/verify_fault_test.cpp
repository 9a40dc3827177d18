// SPDX-License-Identifier: Apache-2.0
//
// Verification above a store that cannot be read for a moment, or not at all. One thread.
#include <gtest/gtest.h>

#include "tests/fault/fault_house.h"
#include "tests/suites/store_fixture.h"

namespace cb::test {
namespace {

using repository::must;
using repository::TestSnapshot;

class VerifyFault : public testing::TestWithParam<const char*> {
 protected:
  VerifyFault() : house_(GetParam()) {
    must(house_.open(FaultOptions{}));
    id_ = house_.repository();
    const auto intake = must(house_.engine().begin(id_, {repository::device_of(1)}, false));
    for (const repository::StoredBlob& blob : snapshot_.blobs)
      must(repository::put_blob(*intake, blob));
    must(intake->commit(snapshot_.request));
  }

  // With reads of packs that fail so.
  repository::Verified verify_with(const std::string& rules) {
    must(house_.open(FaultOptions{{"rules", rules}}));
    return must(house_.engine().verify(id_, {}, {}));
  }

  FaultHouse house_;
  repository::RepositoryId id_;
  TestSnapshot snapshot_ = repository::make_snapshot(1, 5, 12'000);
};

TEST_P(VerifyFault, a_read_that_fails_once_damages_nothing) {
  const auto verified = verify_with("get_read(/pack/):io@1");
  EXPECT_GT(house_.faulty().log().count("its call"), 0u);
  for (const std::string& finding : verified.findings) ADD_FAILURE() << finding;
  EXPECT_EQ(verified.newly_wanted, 0u);
}

TEST_P(VerifyFault, a_pack_that_cannot_be_read_is_wanted_from_the_next_backup) {
  const auto verified = verify_with("get_read(/pack/):io");
  EXPECT_FALSE(verified.findings.empty());
  EXPECT_GT(verified.newly_wanted, 0u);
}

INSTANTIATE_TEST_SUITE_P(stores, VerifyFault, testing::Values("store-fs", "store-sqlite"),
                         test_name);

}  // namespace
}  // namespace cb::test
