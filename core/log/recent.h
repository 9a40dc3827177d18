// SPDX-License-Identifier: Apache-2.0
//
// A log in front of another that counts what passes and keeps the newest warnings and errors, for
// who asks what went wrong. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "core/log/line_log.h"
#include "core/os/clock.h"

namespace cb::log {

class RecentLog final : public LineLog {
 public:
  struct Line {
    int64_t time_ns = 0;  // since 1970 UTC
    Level level = Level::warn;
    std::string text;  // text_line
  };
  static constexpr size_t kKept = 50;
  static constexpr size_t kLevels = 5;

  // Both outlive it.
  RecentLog(LineLog& below, const os::Clock& clock) : below_(below), clock_(clock) {}

  void write_fields(Level level, std::string_view event, std::span<const Field> fields) override;

  // Oldest first, at most kKept.
  [[nodiscard]] std::vector<Line> recent() const;
  // How many lines of this level passed.
  [[nodiscard]] uint64_t count(Level level) const { return counts_.at(static_cast<size_t>(level)); }

 private:
  LineLog& below_;
  const os::Clock& clock_;
  std::array<std::atomic<uint64_t>, kLevels> counts_{};
  mutable std::mutex mutex_;
  std::deque<Line> lines_;  // guarded by mutex_
};

}  // namespace cb::log
