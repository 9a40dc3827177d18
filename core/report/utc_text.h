// SPDX-License-Identifier: Apache-2.0
//
// Moments for people and scripts. Functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace cb::report {

// Nanoseconds since 1970 as "2026-03-01T12:00:00Z".
std::string utc_text(int64_t nanoseconds);

// Reads that, or a day ("2026-03-01", its first moment). Code::invalid for anything else, and for
// days that no calendar has.
Result<int64_t> parse_utc(std::string_view text);

// A moment as people give it: that, or how long before `now` ("30d").
Result<int64_t> parse_moment(std::string_view text, int64_t now_ns);

}  // namespace cb::report
