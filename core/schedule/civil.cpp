// SPDX-License-Identifier: Apache-2.0
#include "core/schedule/civil.h"

#include <algorithm>
#include <ctime>

namespace cb::schedule {

Zone utc_zone() {
  return [](int64_t) { return int64_t{0}; };
}

Zone system_zone() {
  return [](int64_t utc_seconds) -> int64_t {
    const auto when = static_cast<std::time_t>(utc_seconds);
    std::tm parts{};
    return ::localtime_r(&when, &parts) == nullptr ? 0 : parts.tm_gmtoff;
  };
}

int64_t shown_at(const Zone& zone, int64_t utc_seconds) { return utc_seconds + zone(utc_seconds); }

// Zones change by less than a day, and not twice in two days.
int64_t when_shown(const Zone& zone, int64_t shown_seconds) {
  const int64_t before = shown_seconds - zone(shown_seconds - kDaySeconds);
  const int64_t after = shown_seconds - zone(shown_seconds + kDaySeconds);
  for (const int64_t moment : {std::min(before, after), std::max(before, after)})
    if (shown_at(zone, moment) == shown_seconds) return moment;
  return before;
}

int64_t day_of(int64_t shown_seconds) {
  const int64_t day = shown_seconds / kDaySeconds;
  return shown_seconds % kDaySeconds < 0 ? day - 1 : day;
}

unsigned weekday_of(int64_t day) {
  constexpr int64_t kThursday = 4;  // 1970-01-01
  return static_cast<unsigned>(((day + kThursday) % 7 + 7) % 7);
}

}  // namespace cb::schedule
