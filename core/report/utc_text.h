// SPDX-License-Identifier: Apache-2.0
//
// Moments for people and scripts. Functions are pure.
#pragma once

#include <cstdint>
#include <string>

namespace cb::report {

// Nanoseconds since 1970 as "2026-03-01T12:00:00Z".
std::string utc_text(int64_t nanoseconds);

}  // namespace cb::report
