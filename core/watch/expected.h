// SPDX-License-Identifier: Apache-2.0
//
// When the next backup of a source is expected, from when the earlier ones came (docs/watch.md,
// "Overdue"). Pure; moments and lengths of time are nanoseconds, moments since 1970 UTC by the
// server's clock.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/base/result.h"
#include "core/schedule/civil.h"

namespace cb::watch {

constexpr int64_t kMinute = 60 * int64_t{1'000'000'000};
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

// What a person said of a source, in place of what history says.
struct Wish {
  bool never = false;  // it is not missed
  int64_t every = 0;
  int64_t tolerance = 0;
};
// Code::invalid with the reason for what cannot be meant: less than a minute, more than ten years.
Status check(const Wish& wish);

struct ExpectedRules {
  int64_t tolerance = 6 * kHour;     // the most that a regular source may be late
  size_t least_backups = 7;          // history says nothing before it has as many,
  int64_t least_history = 8 * kDay;  // and before it is as long: it has seen a weekend
  schedule::Zone zone;               // whose weekdays and hours count; none: UTC
};

// Where the expectation comes from.
enum class Basis {
  unknown,     // too little history: never overdue
  never,       // a person said so
  set,         // the same
  regular,     // nearly all distances are alike
  of_weekday,  // those from backups on this weekday are
  of_both,     // those from backups on this weekday at this hour are
  irregular,   // none are: the longest ones count
};
// "weekday".
const char* name_of(Basis basis);

struct Expectation {
  Basis basis = Basis::unknown;
  int64_t next = 0;  // when it is expected; 0: never
  int64_t late = 0;  // from when on it is overdue; 0: never

  [[nodiscard]] bool is_overdue(int64_t now) const { return late != 0 && now >= late; }
};

// `times` of whole backups, rising; without any, nothing is expected. Distances count, not clock
// times, so a change of a zone's clocks moves nothing by more than its hour.
Expectation expect(std::span<const int64_t> times, const std::optional<Wish>& wish,
                   const ExpectedRules& rules);

}  // namespace cb::watch
