// SPDX-License-Identifier: Apache-2.0
//
// The time of day in which something may be done: "22:00-06:00". A plain value; functions are pure.
// Moments are nanoseconds since 1970 UTC.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/result.h"
#include "core/schedule/civil.h"

namespace cb::schedule {

// "02:30" as time since midnight; nothing for anything else. "24:00" is none.
std::optional<std::chrono::seconds> parse_time_of_day(std::string_view text);

class Window {
 public:
  // Always.
  Window() = default;
  // "22:00-06:00", or nothing at all for always. Code::invalid, also for an empty window.
  static Result<Window> parse(std::string_view text);

  [[nodiscard]] bool is_always() const { return begin_ == end_; }
  // Does it close on another day than it opens?
  [[nodiscard]] bool is_overnight() const { return begin_ > end_; }
  // Since midnight.
  [[nodiscard]] std::chrono::seconds closes_at() const { return std::chrono::seconds(end_); }
  // The first moment from `at_ns` on that is inside.
  [[nodiscard]] int64_t opens(int64_t at_ns, const Zone& zone) const;
  // When it closes, for a moment inside; nothing when never.
  [[nodiscard]] std::optional<int64_t> closes(int64_t at_ns, const Zone& zone) const;

  friend bool operator==(const Window&, const Window&) = default;

 private:
  [[nodiscard]] bool has(int64_t shown_seconds) const;

  int64_t begin_ = 0;  // seconds since midnight
  int64_t end_ = 0;
};

}  // namespace cb::schedule
