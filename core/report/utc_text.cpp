// SPDX-License-Identifier: Apache-2.0
#include "core/report/utc_text.h"

#include <array>
#include <chrono>
#include <ctime>

#include "core/base/units.h"

namespace cb::report {
namespace {

constexpr std::string_view kForm = "0000-00-00T00:00:00Z";

// The digits at `at` as a number; the form has been checked.
unsigned digits(std::string_view text, size_t at, size_t count) {
  unsigned value = 0;
  for (const char digit : text.substr(at, count)) value = value * 10 + unsigned(digit - '0');
  return value;
}

bool has_form(std::string_view text, std::string_view form) {
  if (text.size() != form.size()) return false;
  for (size_t i = 0; i < form.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == '0' ? !is_digit : text[i] != form[i]) return false;
  }
  return true;
}

}  // namespace

std::string utc_text(int64_t nanoseconds) {
  const auto seconds = static_cast<std::time_t>(nanoseconds / 1'000'000'000);
  std::tm parts{};
  std::array<char, 32> text{};
  ::gmtime_r(&seconds, &parts);
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

Result<int64_t> parse_utc(std::string_view text) {
  using std::chrono::nanoseconds;
  const bool has_time = has_form(text, kForm);
  const auto wrong = [&] {
    return failed(Code::invalid, "time '" + std::string(text) + "'", "is no day and time in UTC",
                  "write it like 2026-03-01 or 2026-03-01T12:00:00Z");
  };
  if (!has_time && !has_form(text, kForm.substr(0, 10))) return wrong();
  const std::chrono::year_month_day day{std::chrono::year(int(digits(text, 0, 4))),
                                        std::chrono::month(digits(text, 5, 2)),
                                        std::chrono::day(digits(text, 8, 2))};
  nanoseconds time{};
  if (has_time) {
    const unsigned hour = digits(text, 11, 2), minute = digits(text, 14, 2);
    const unsigned second = digits(text, 17, 2);
    if (hour > 23 || minute > 59 || second > 59) return wrong();
    time = std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
  }
  // What nanoseconds since 1970 can tell.
  if (!day.ok() || int(day.year()) < 1970 || int(day.year()) > 2261) return wrong();
  return (nanoseconds(std::chrono::sys_days(day).time_since_epoch()) + time).count();
}

Result<int64_t> parse_moment(std::string_view text, int64_t now_ns) {
  if (text.find('-') != text.npos) return parse_utc(text);
  CB_ASSIGN(const std::chrono::nanoseconds ago, parse_duration(text));
  return now_ns - ago.count();
}

}  // namespace cb::report
