// SPDX-License-Identifier: Apache-2.0
#include "core/schedule/window.h"

#include <algorithm>
#include <string>

namespace cb::schedule {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

std::optional<int64_t> two_digit_number(std::string_view text, int64_t below) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() != 2 || !is_digit(text[0]) || !is_digit(text[1])) return std::nullopt;
  const int64_t number = (text[0] - '0') * 10 + (text[1] - '0');
  return number < below ? std::optional(number) : std::nullopt;
}

int64_t whole_seconds(int64_t ns) { return ns / kSecondNs - (ns % kSecondNs < 0 ? 1 : 0); }

// The next moment past `after` at which clocks show this time of day.
int64_t next_time_of_day(int64_t after, int64_t of_day, const Zone& zone) {
  for (int64_t day = day_of(shown_at(zone, after)) - 1;; ++day) {
    const int64_t moment = when_shown(zone, day * kDaySeconds + of_day);
    if (moment > after) return moment;
  }
}

}  // namespace

std::optional<std::chrono::seconds> parse_time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hours = two_digit_number(text.substr(0, 2), 24);
  const auto minutes = two_digit_number(text.substr(3), 60);
  if (!hours || !minutes) return std::nullopt;
  return std::chrono::seconds(*hours * 3600 + *minutes * 60);
}

Result<Window> Window::parse(std::string_view text) {
  if (text.empty()) return Window();
  const size_t dash = text.find('-');
  const auto begin = parse_time_of_day(text.substr(0, dash));
  const auto end =
      parse_time_of_day(dash == text.npos ? std::string_view() : text.substr(dash + 1));
  if (!begin || !end)
    return failed(Code::invalid, "'" + std::string(text) + "'", "is not a time of day to another",
                  "write it like 22:00-06:00");
  Window window;
  window.begin_ = begin->count();
  window.end_ = end.value_or(*begin).count();
  if (window.begin_ == window.end_)
    return failed(Code::invalid, "'" + std::string(text) + "'", "is never open",
                  "leave it out for any time");
  return window;
}

bool Window::has(int64_t shown_seconds) const {
  if (is_always()) return true;
  const int64_t of_day = shown_seconds - day_of(shown_seconds) * kDaySeconds;
  if (begin_ < end_) return of_day >= begin_ && of_day < end_;
  return of_day >= begin_ || of_day < end_;
}

int64_t Window::opens(int64_t at_ns, const Zone& zone) const {
  const int64_t at = whole_seconds(at_ns);
  if (has(shown_at(zone, at))) return at_ns;
  return next_time_of_day(at, begin_, zone) * kSecondNs;
}

std::optional<int64_t> Window::closes(int64_t at_ns, const Zone& zone) const {
  if (is_always()) return std::nullopt;
  return next_time_of_day(whole_seconds(at_ns), end_, zone) * kSecondNs;
}

}  // namespace cb::schedule
