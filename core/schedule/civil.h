// SPDX-License-Identifier: Apache-2.0
//
// Days and times of day, in UTC or as a zone shows them. Functions are pure but for system_zone.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace cb::schedule {

constexpr int64_t kDaySeconds = 86400;

// How much a zone's clocks are ahead of UTC at a moment (seconds since 1970).
using Zone = std::function<int64_t(int64_t utc_seconds)>;

// No difference, ever.
Zone utc_zone();
// As the system's settings say (TZ, /etc/localtime), read when it is first asked.
Zone system_zone();

// What the zone's clocks show, as if it were UTC.
int64_t shown_at(const Zone& zone, int64_t utc_seconds);
// When they show it: the first time, if they do twice. Where clocks are put forward over it, as
// much later as they would have shown it without.
int64_t when_shown(const Zone& zone, int64_t shown_seconds);

// Days since 1970 of a shown time, rounded down.
int64_t day_of(int64_t shown_seconds);
// 0 is Sunday.
unsigned weekday_of(int64_t day);

}  // namespace cb::schedule
