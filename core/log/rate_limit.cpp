// SPDX-License-Identifier: Apache-2.0
#include "core/log/rate_limit.h"

#include <algorithm>

namespace cb::log {
namespace {

// A peer's port changes with each connection, so it is no part of who the peer is.
std::string subject_of(std::span<const Field> fields) {
  for (const Field& field : fields) {
    if (field.key == "peer") return field.value.substr(0, field.value.rfind(':'));
    if (field.key == "address") return field.value;
  }
  return fields.empty() ? "" : fields.front().value;
}

}  // namespace

RateLimitedLog::RateLimitedLog(LineLog& below, const os::Clock& clock, RateLimits limits)
    : below_(below), clock_(clock), limits_(limits) {}

void RateLimitedLog::write_fields(Level level, std::string_view event,
                                  std::span<const Field> fields) {
  if (level < Level::warn) return below_.write_fields(level, event, fields);
  uint64_t told = 0;
  std::vector<std::pair<Key, uint64_t>> untold;
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    const auto now = clock_.monotonic();
    Window& whole = events_[std::string(event)];
    if (is_spent(whole, limits_.burst_of_event, now)) {
      ++whole.suppressed;
      return;
    }
    make_room(now, untold);
    Window& own = windows_[{std::string(event), subject_of(fields)}];
    if (is_spent(own, limits_.burst, now)) {
      ++own.suppressed;
      return;
    }
    told = admit(whole, now) + admit(own, now);
  }
  for (const auto& [key, count] : untold)
    below_.warn("log.suppressed", {{"of", key.first}, {"subject", key.second}, {"lines", count}});
  if (told == 0) return below_.write_fields(level, event, fields);
  std::vector<Field> more(fields.begin(), fields.end());
  more.emplace_back("suppressed", told);
  below_.write_fields(level, event, more);
}

bool RateLimitedLog::is_spent(const Window& window, uint32_t burst,
                              std::chrono::nanoseconds now) const {
  return window.let_through >= burst && now - window.began < limits_.interval;
}

uint64_t RateLimitedLog::admit(Window& window, std::chrono::nanoseconds now) const {
  uint64_t told = 0;
  if (window.let_through == 0 || now - window.began >= limits_.interval) {
    told = window.suppressed;
    window = {now, 0, 0};
  }
  ++window.let_through;
  return told;
}

void RateLimitedLog::make_room(std::chrono::nanoseconds now,
                               std::vector<std::pair<Key, uint64_t>>& untold) {
  if (windows_.size() < limits_.max_subjects) return;
  std::erase_if(windows_, [&](const auto& entry) {
    return now - entry.second.began >= limits_.interval && entry.second.suppressed == 0;
  });
  if (windows_.size() < limits_.max_subjects) return;
  const auto oldest = std::min_element(
      windows_.begin(), windows_.end(),
      [](const auto& a, const auto& b) { return a.second.began < b.second.began; });
  if (oldest->second.suppressed > 0) untold.emplace_back(oldest->first, oldest->second.suppressed);
  windows_.erase(oldest);
}

void RateLimitedLog::report_suppressed() {
  std::vector<std::pair<Key, uint64_t>> untold;
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    const auto now = clock_.monotonic();
    for (auto& [event, window] : events_) {
      if (window.suppressed > 0) untold.emplace_back(Key{event, "*"}, window.suppressed);
      window.suppressed = 0;
    }
    for (auto& [key, window] : windows_) {
      if (window.suppressed > 0) untold.emplace_back(key, window.suppressed);
      window.suppressed = 0;
    }
    std::erase_if(windows_,
                  [&](const auto& entry) { return now - entry.second.began >= limits_.interval; });
  }
  for (const auto& [key, count] : untold)
    below_.warn("log.suppressed", {{"of", key.first}, {"subject", key.second}, {"lines", count}});
}

}  // namespace cb::log
