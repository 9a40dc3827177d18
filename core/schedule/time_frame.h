// SPDX-License-Identifier: Apache-2.0
//
// Days of the week and a time of day: "mon", "tue" from 22:00 to 06:00. A plain value; functions
// are pure. Moments are nanoseconds since 1970 UTC.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/schedule/window.h"

namespace cb::schedule {

class TimeFrame {
 public:
  // Always.
  TimeFrame() = default;
  // `days` are "mon" to "sun", none for all. Code::invalid for anything else.
  static Result<TimeFrame> make(const std::vector<std::string>& days, const Window& time);

  // A night belongs to the day on which it begins.
  [[nodiscard]] bool has(int64_t at_ns, const Zone& zone) const;

  friend bool operator==(const TimeFrame&, const TimeFrame&) = default;

 private:
  unsigned days_ = 0x7f;  // a bit for each, Sunday first
  Window time_;
};

}  // namespace cb::schedule
