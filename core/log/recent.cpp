// SPDX-License-Identifier: Apache-2.0
#include "core/log/recent.h"

namespace cb::log {

void RecentLog::write_fields(Level level, std::string_view event, std::span<const Field> fields) {
  ++counts_.at(static_cast<size_t>(level));
  if (level >= Level::warn) {
    Line line{clock_.wall().count(), level, text_line(event, fields)};
    const std::lock_guard hold(mutex_);
    lines_.push_back(std::move(line));
    if (lines_.size() > kKept) lines_.pop_front();
  }
  below_.write_fields(level, event, fields);
}

std::vector<RecentLog::Line> RecentLog::recent() const {
  const std::lock_guard hold(mutex_);
  return {lines_.begin(), lines_.end()};
}

}  // namespace cb::log
