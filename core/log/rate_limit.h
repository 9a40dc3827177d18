// SPDX-License-Identifier: Apache-2.0
//
// A log in front of another that lets only so many warnings and errors of one kind about one
// subject through, and says how many it held back. Thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <vector>

#include "core/log/line_log.h"
#include "core/os/clock.h"

namespace cb::log {

struct RateLimits {
  uint32_t burst = 5;             // lines per event, subject and interval
  uint32_t burst_of_event = 100;  // lines per event and interval, whatever the subject
  std::chrono::nanoseconds interval = std::chrono::seconds(10);
  size_t max_subjects = 4096;  // remembered at once; the oldest make room
};

// The subject of a line is its "peer" without the port, else its "address", else its first field.
class RateLimitedLog final : public LineLog {
 public:
  // Both outlive it.
  RateLimitedLog(LineLog& below, const os::Clock& clock, RateLimits limits = {});
  ~RateLimitedLog() override { report_suppressed(); }
  RateLimitedLog(const RateLimitedLog&) = delete;
  RateLimitedLog& operator=(const RateLimitedLog&) = delete;

  void write_fields(Level level, std::string_view event, std::span<const Field> fields) override;

  // Writes how many lines of each kind are held back and not yet told, and forgets old subjects.
  void report_suppressed();

 private:
  struct Window {
    std::chrono::nanoseconds began{0};
    uint32_t let_through = 0;
    uint64_t suppressed = 0;
  };
  using Key = std::pair<std::string, std::string>;  // event, subject
  using Windows = std::map<Key, Window>;

  [[nodiscard]] bool is_spent(const Window& window, uint32_t burst,
                              std::chrono::nanoseconds now) const;
  // Counts a line that passes; returns how many were held back in the interval before.
  uint64_t admit(Window& window, std::chrono::nanoseconds now) const;
  void make_room(std::chrono::nanoseconds now, std::vector<std::pair<Key, uint64_t>>& untold);

  LineLog& below_;
  const os::Clock& clock_;
  const RateLimits limits_;
  std::mutex mutex_;
  std::map<std::string, Window> events_;  // guarded by mutex_; as many as the program has events
  Windows windows_;                       // guarded by mutex_
};

}  // namespace cb::log
