// SPDX-License-Identifier: Apache-2.0
//
// When something is to be done again and again: calendar times and distances. A plain value;
// functions are pure. Moments are nanoseconds since 1970 UTC.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/schedule/civil.h"

namespace cb::schedule {

// "off"; "hourly"; "every 6h" (counted from 1970 UTC, so that "every 24h" is midnight in UTC);
// "daily 02:30"; "weekly sun 03:00"; "monthly 31 04:00" (the last day of shorter months).
class Schedule {
 public:
  // Never.
  Schedule() = default;
  // Code::invalid with all forms.
  static Result<Schedule> parse(std::string_view text);

  [[nodiscard]] bool is_off() const { return kind_ == Kind::off; }
  // As it is parsed.
  [[nodiscard]] std::string text() const;
  // The first moment past `after_ns`; nothing when off.
  [[nodiscard]] std::optional<int64_t> next(int64_t after_ns, const Zone& zone) const;

  friend bool operator==(const Schedule&, const Schedule&) = default;

 private:
  enum class Kind : uint8_t { off, every, daily, weekly, monthly };
  bool read_distance(const std::vector<std::string_view>& words);
  bool read_calendar(const std::vector<std::string_view>& words);
  [[nodiscard]] bool is_on(int64_t day) const;

  Kind kind_ = Kind::off;
  int64_t every_ = 0;   // seconds
  int64_t of_day_ = 0;  // seconds
  unsigned day_ = 0;    // of the week from Sunday = 0, or of the month from 1
};

// How much later than its moment something is done, so that not everybody comes at once: evenly
// spread from 0 to `most`, but no more than a quarter of the time until the moment after it.
std::chrono::nanoseconds jitter(const Schedule& schedule, int64_t due_ns, const Zone& zone,
                                std::chrono::nanoseconds most, uint64_t random);

}  // namespace cb::schedule
