// SPDX-License-Identifier: Apache-2.0
//
// A year of a server and twenty sources, in a minute: 365 days of backups of small trees that
// change, four sets of rules, the real scheduler with all jobs of the daemon, and what happens in a
// year. The engine, the catalog, the store plugin, the rules, the jobs and the audit log are the
// daemon's own; the network, sealing and the files are played (year_backup.h).
//
// Three times a week something dies. Two of three times it is the server's process: it is made anew
// by fork, works on the same files, and sends itself SIGKILL at one of the places where it asks for
// the time, for randomness, for a signature, or whether a job may go on. So the moment follows from
// the seed, and is as hard as one that a clock would choose. The other times the store fails all
// calls from one on, in the middle of a backup or a job, and everything that was open is dropped.
//
// Until December the jobs run less often than they do by default, so that the test ends soon;
// long_year_test.cpp has a year with the daemon's own schedules and more data. CB_YEAR_SEED sets
// the course.
#include <gtest/gtest.h>

#include "tests/year/year_life.h"

namespace cb::year {
namespace {

TEST(Year, every_snapshot_that_the_rules_keep_is_whole_at_its_end) {
  CourseSettings settings;
  settings.seed = seed_of_year(20'340'101);
  live(settings);
}

}  // namespace
}  // namespace cb::year
