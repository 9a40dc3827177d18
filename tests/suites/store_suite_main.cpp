// SPDX-License-Identifier: Apache-2.0
//
// Runs the store suites for every store that ships.
#include "tests/suites/store_fixture.h"

namespace cb::test {

INSTANTIATE_TEST_SUITE_P(stores, StoreSuite,
                         testing::Values("store-fs", "store-sqlite", "store-fault+store-fs",
                                         "store-fault+store-sqlite"),
                         test_name);

}  // namespace cb::test
