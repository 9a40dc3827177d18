// SPDX-License-Identifier: Apache-2.0
//
// The checks of stores, file by file; store_checks.cpp says what each is about. Each has a subject
// of its own and runs on one thread, which may start more.
#pragma once

#include "hosts/cyberbackup-plugin-check/check.h"

namespace cb::check {

// store_content_checks.cpp
Result<Verdict> store_put_get(Subject& subject);
Result<Verdict> store_zero_length(Subject& subject);
Result<Verdict> store_range_reads(Subject& subject);
Result<Verdict> store_range_past_end(Subject& subject);
Result<Verdict> store_range_refused(Subject& subject);
Result<Verdict> store_remove(Subject& subject);
Result<Verdict> store_open_get_stays(Subject& subject);

// store_commit_checks.cpp
Result<Verdict> store_abort_leaves_nothing(Subject& subject);
Result<Verdict> store_invisible_before_commit(Subject& subject);
Result<Verdict> store_if_absent_race(Subject& subject);
Result<Verdict> store_unknown_flags(Subject& subject);

// store_list_checks.cpp
Result<Verdict> store_list_order_and_prefix(Subject& subject);
Result<Verdict> store_list_during_writes(Subject& subject);
Result<Verdict> store_many_objects(Subject& subject);

// store_name_checks.cpp
Result<Verdict> store_hostile_names(Subject& subject);

// store_space_check.cpp
Result<Verdict> store_no_space(Subject& subject);

// store_kill_check.cpp
Result<Verdict> store_kill_during_put(Subject& subject);

}  // namespace cb::check
