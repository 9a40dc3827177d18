// SPDX-License-Identifier: Apache-2.0
//
// What the simulated year is to show, each looked for past the code that is under test where that
// is possible. Findings are failures of the test that calls. Used by one thread.
#pragma once

#include "tests/year/year_course.h"

namespace cb::year {

// The list is what the rules keep of all that was ever acknowledged, by the plain policy and by
// core/retention; nothing went to the trash while a rule kept it, nor left it early.
void look_at_retention(Course& course);

// Every snapshot that is listed, in the trash or not, comes back byte for byte.
void look_at_contents(Course& course);

// Bytes of blobs in the packs of the store, as they lie there.
struct PackBytesHeld {
  uint64_t all = 0, dead = 0;
  uint64_t dead_records = 0;  // of sessions, among those
};
// Dead is what no snapshot reaches, and every copy that the catalog does not read and that opens
// nothing beside it.
PackBytesHeld look_at_packs(Course& course);

// The server's own check has nothing to say, and nothing is left over or wanted.
void look_at_health(Course& course);

// No two runs of jobs at one time; none failed but by a store that crashed.
void look_at_jobs(Course& course);
// Bytes that collections gave back on the days of a full store.
uint64_t freed_on_full_days(Course& course);

// A source that fell silent was missed within its tolerance, once, and came back once; none was
// missed that had come within a day; and nothing that happened looked like spoilt data.
void look_at_events(Course& course);

// The audit log is a whole chain and tells of every removal.
void look_at_audit(Course& course);

}  // namespace cb::year
