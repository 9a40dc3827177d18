// SPDX-License-Identifier: Apache-2.0
//
// Any text as a schedule and as a window, any words as days: what is taken is written and taken
// again as the same, and the next moment is a later one, whatever the zone's clocks do. The first
// eight bytes are the moment, the ninth the zone.
#include <cstdlib>

#include "core/base/bytes.h"
#include "core/schedule/schedule.h"
#include "core/schedule/time_frame.h"

using namespace cb;
using namespace cb::schedule;

namespace {

constexpr int64_t kSecond = 1'000'000'000;

void require(bool holds) {
  if (!holds) std::abort();
}

// Clocks that are put forward and back by an hour or more every 180 days.
Zone zone_of(uint8_t kind) {
  return [kind](int64_t utc) {
    const int64_t ahead = (int64_t{kind} - 128) * 300;
    const bool summer = utc / (180 * kDaySeconds) % 2 != 0;
    return ahead + (summer ? 3600 * (1 + kind % 3) : 0);
  };
}

void check_window(std::string_view text, int64_t at, const Zone& zone) {
  const auto window = Window::parse(text);
  if (!window) return;
  const int64_t opens = window->opens(at, zone);
  require(opens >= at);
  if (const auto closes = window->closes(opens, zone)) require(*closes >= opens);
}

void check_days(std::string_view text, int64_t at, const Zone& zone) {
  std::vector<std::string> days;
  for (size_t end = 0; (end = text.find(' ')) != std::string_view::npos;
       text.remove_prefix(end + 1))
    days.emplace_back(text.substr(0, end));
  const auto window = Window::parse(text);
  if (!window) return;
  if (const auto frame = TimeFrame::make(days, *window)) (void)frame->has(at, zone);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 9) return 0;
  const auto bytes = std::as_bytes(std::span(data, size));
  // Two hundred years on both sides of 1970: what clocks of this program can show.
  const int64_t span = int64_t{200} * 365 * kDaySeconds * kSecond;
  const int64_t at = static_cast<int64_t>(load_le<uint64_t>(bytes.data())) % span;
  const Zone zone = zone_of(data[8]);
  const std::string_view text = as_text(bytes.subspan(9));
  check_window(text, at, zone);
  check_days(text, at, zone);
  const auto schedule = Schedule::parse(text);
  if (!schedule) return 0;
  const auto again = Schedule::parse(schedule->text());
  require(again && *again == *schedule);
  const auto next = schedule->next(at, zone);
  require(next.has_value() != schedule->is_off());
  if (!next) return 0;
  require(*next > at);
  const auto late = jitter(*schedule, *next, zone, std::chrono::hours(1), data[8] * 7919U);
  require(late.count() >= 0 && late <= std::chrono::hours(1));
  return 0;
}
