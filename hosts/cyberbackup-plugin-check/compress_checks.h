// SPDX-License-Identifier: Apache-2.0
//
// The checks of compressors, file by file; compress_checks.cpp says what each is about. Each has a
// subject of its own and runs on one thread.
#pragma once

#include "hosts/cyberbackup-plugin-check/check.h"

namespace cb::check {

// compress_shot_checks.cpp
Result<Verdict> compress_round_trip(Subject& subject);
Result<Verdict> compress_bound_is_true(Subject& subject);
Result<Verdict> compress_bomb_stops_at_cap(Subject& subject);
Result<Verdict> compress_truncated(Subject& subject);
Result<Verdict> compress_concatenated_frames(Subject& subject);

// compress_garbage_check.cpp
Result<Verdict> compress_garbage(Subject& subject);

// compress_stream_checks.cpp
Result<Verdict> compress_stream_equals_one_shot(Subject& subject);
Result<Verdict> compress_one_byte_windows(Subject& subject);
Result<Verdict> compress_flush_is_readable(Subject& subject);
Result<Verdict> compress_reset_reuse(Subject& subject);
Result<Verdict> compress_unknown_ops(Subject& subject);

}  // namespace cb::check
