// SPDX-License-Identifier: Apache-2.0
//
// The same as year_test.cpp with the daemon's own schedules and more data.
#include <gtest/gtest.h>

#include "tests/year/year_life.h"

namespace cb::year {
namespace {

TEST(LongYear, every_snapshot_that_the_rules_keep_is_whole_at_its_end) {
  CourseSettings settings;
  settings.seed = seed_of_year(20'340'102);
  settings.pieces_of_image = 300;
  settings.is_calm = false;
  live(settings);
}

}  // namespace
}  // namespace cb::year
