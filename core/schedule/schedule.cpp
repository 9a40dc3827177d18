// SPDX-License-Identifier: Apache-2.0
#include "core/schedule/schedule.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "core/base/units.h"
#include "core/schedule/window.h"

namespace cb::schedule {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kHourSeconds = 3600;
constexpr int64_t kShortest = 60;
constexpr int64_t kLongest = 366 * kDaySeconds;
constexpr unsigned kLongestMonth = 31;
constexpr std::array<std::string_view, 7> kWeekdays = {"sun", "mon", "tue", "wed",
                                                       "thu", "fri", "sat"};

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const size_t begin = text.find_first_not_of(' ');
    if (begin == text.npos) return words;
    text.remove_prefix(begin);
    const size_t length = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
}

// Seconds since the epoch, rounded down.
int64_t seconds_of(int64_t ns) { return ns / kSecond - (ns % kSecond < 0 ? 1 : 0); }

int64_t floor_to(int64_t value, int64_t step) {
  const int64_t rest = value % step;
  return value - (rest < 0 ? rest + step : rest);
}

struct MonthDay {
  unsigned day;
  unsigned last;  // of its month
};

// The proleptic Gregorian calendar.
MonthDay month_day_of(int64_t day) {
  using namespace std::chrono;
  const year_month_day date{sys_days{days{day}}};
  const year_month_day_last last{date.year(), month_day_last{date.month()}};
  return {static_cast<unsigned>(date.day()), static_cast<unsigned>(last.day())};
}

std::optional<unsigned> number_in(std::string_view text, unsigned least, unsigned most) {
  unsigned number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = problem == std::errc() && end == text.data() + text.size();
  return is_whole && number >= least && number <= most ? std::optional(number) : std::nullopt;
}

std::optional<int64_t> distance_of(std::string_view text) {
  const auto duration = parse_duration(text);
  if (!duration) return std::nullopt;
  const int64_t seconds = duration->count() / kSecond;
  const bool fits = duration->count() % kSecond == 0 && seconds >= kShortest && seconds <= kLongest;
  return fits ? std::optional(seconds) : std::nullopt;
}

std::string two_digits(int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); }

std::string time_text(int64_t of_day) {
  return two_digits(of_day / kHourSeconds) + ":" + two_digits(of_day % kHourSeconds / 60);
}

// Shorter than format_duration, and exact.
std::string distance_text(int64_t seconds) {
  if (seconds % kDaySeconds == 0) return std::to_string(seconds / kDaySeconds) + "d";
  if (seconds % kHourSeconds == 0) return std::to_string(seconds / kHourSeconds) + "h";
  if (seconds % 60 == 0) return std::to_string(seconds / 60) + "m";
  return std::to_string(seconds) + "s";
}

std::optional<unsigned> weekday_named(std::string_view name) {
  const auto at = std::find(kWeekdays.begin(), kWeekdays.end(), name);
  if (at == kWeekdays.end()) return std::nullopt;
  return static_cast<unsigned>(at - kWeekdays.begin());
}

}  // namespace

Result<Schedule> Schedule::parse(std::string_view text) {
  const std::vector<std::string_view> words = words_of(text);
  Schedule schedule;
  if (words.size() == 1 && words[0] == "off") return schedule;
  if (schedule.read_distance(words) || schedule.read_calendar(words)) return schedule;
  return failed(Code::invalid, "'" + std::string(text) + "'", "is not a schedule",
                "write off, hourly, every 6h (from 1m to 366d), daily 02:30, weekly sun 03:00 "
                "or monthly 1 04:00");
}

bool Schedule::read_distance(const std::vector<std::string_view>& words) {
  std::optional<int64_t> distance;
  if (words.size() == 1 && words[0] == "hourly") distance = kHourSeconds;
  if (words.size() == 2 && words[0] == "every") distance = distance_of(words[1]);
  if (!distance) return false;
  kind_ = Kind::every;
  every_ = *distance;
  return true;
}

bool Schedule::read_calendar(const std::vector<std::string_view>& words) {
  const auto of_day = words.empty() ? std::nullopt : parse_time_of_day(words.back());
  if (!of_day) return false;
  of_day_ = of_day->count();
  std::optional<unsigned> day;
  if (words.size() == 2 && words[0] == "daily") {
    kind_ = Kind::daily;
    return true;
  }
  if (words.size() == 3 && words[0] == "weekly") {
    kind_ = Kind::weekly;
    day = weekday_named(words[1]);
  }
  if (words.size() == 3 && words[0] == "monthly") {
    kind_ = Kind::monthly;
    day = number_in(words[1], 1, kLongestMonth);
  }
  day_ = day.value_or(0);
  return day.has_value();
}

std::string Schedule::text() const {
  switch (kind_) {
    case Kind::off:
      return "off";
    case Kind::every:
      return every_ == kHourSeconds ? "hourly" : "every " + distance_text(every_);
    case Kind::daily:
      return "daily " + time_text(of_day_);
    case Kind::weekly:
      return "weekly " + std::string(kWeekdays.at(day_)) + " " + time_text(of_day_);
    case Kind::monthly:
      return "monthly " + std::to_string(day_) + " " + time_text(of_day_);
  }
  return "off";
}

// Is it due on this day?
bool Schedule::is_on(int64_t day) const {
  if (kind_ == Kind::weekly) return weekday_of(day) == day_;
  if (kind_ != Kind::monthly) return true;
  const MonthDay date = month_day_of(day);
  return date.day == std::min(day_, date.last);
}

std::optional<int64_t> Schedule::next(int64_t after_ns, const Zone& zone) const {
  if (is_off()) return std::nullopt;
  const int64_t after = seconds_of(after_ns);
  if (kind_ == Kind::every) return (floor_to(after, every_) + every_) * kSecond;
  // Clocks that are put back may show yesterday's date once more.
  for (int64_t day = day_of(shown_at(zone, after)) - 1;; ++day) {
    if (!is_on(day)) continue;
    const int64_t moment = when_shown(zone, day * kDaySeconds + of_day_);
    if (moment > after) return moment * kSecond;
  }
}

std::chrono::nanoseconds jitter(const Schedule& schedule, int64_t due_ns, const Zone& zone,
                                std::chrono::nanoseconds most, uint64_t random) {
  const auto after = schedule.next(due_ns, zone);
  if (!after || most.count() <= 0) return {};
  const int64_t room = std::min(most.count(), (*after - due_ns) / 4);
  return std::chrono::nanoseconds(static_cast<int64_t>(random % (static_cast<uint64_t>(room) + 1)));
}

}  // namespace cb::schedule
