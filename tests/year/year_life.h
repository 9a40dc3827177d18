// SPDX-License-Identifier: Apache-2.0
//
// One simulated year from its first day to the last look. Used by one thread.
#pragma once

#include "tests/year/year_course.h"

namespace cb::year {

// CB_YEAR_SEED, or else this.
uint64_t seed_of_year(uint64_t otherwise);

// The course, and all that it is to show (year_look.h). What is wrong is a failure of the test,
// with the seed.
void live(const CourseSettings& settings);

}  // namespace cb::year
