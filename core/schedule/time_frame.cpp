// SPDX-License-Identifier: Apache-2.0
#include "core/schedule/time_frame.h"

#include <algorithm>
#include <array>

namespace cb::schedule {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr std::array<std::string_view, 7> kDayNames = {"sun", "mon", "tue", "wed",
                                                       "thu", "fri", "sat"};

int64_t seconds_of(int64_t ns) { return ns / kSecondNs - (ns % kSecondNs < 0 ? 1 : 0); }

}  // namespace

Result<TimeFrame> TimeFrame::make(const std::vector<std::string>& days, const Window& time) {
  TimeFrame frame;
  frame.time_ = time;
  if (!days.empty()) frame.days_ = 0;
  for (const std::string& day : days) {
    const auto* found = std::find(kDayNames.begin(), kDayNames.end(), day);
    if (found == kDayNames.end())
      return failed(Code::invalid, "'" + day + "'", "is no day of the week",
                    "write mon, tue, wed, thu, fri, sat or sun");
    frame.days_ |= 1U << static_cast<unsigned>(found - kDayNames.begin());
  }
  return frame;
}

bool TimeFrame::has(int64_t at_ns, const Zone& zone) const {
  if (time_.opens(at_ns, zone) != at_ns) return false;
  const int64_t shown = shown_at(zone, seconds_of(at_ns));
  int64_t day = day_of(shown);
  const int64_t of_day = shown - day * kDaySeconds;
  if (time_.is_overnight() && of_day < time_.closes_at().count()) --day;
  return (days_ >> weekday_of(day) & 1U) != 0;
}

}  // namespace cb::schedule
