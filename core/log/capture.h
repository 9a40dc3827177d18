// SPDX-License-Identifier: Apache-2.0
//
// A log that keeps its lines, for tests: they can look at them and wait for one. Thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "core/log/line_log.h"

namespace cb::log {

class Capture final : public LineLog {
 public:
  void write_fields(Level level, std::string_view event, std::span<const Field> fields) override {
    const std::lock_guard<std::mutex> hold(mutex_);
    lines_.push_back(std::string(name_of(level)) + " " + text_line(event, fields));
    arrived_.notify_all();
  }

  // "warn event=session.refused peer=127.0.0.1:4711".
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::lock_guard<std::mutex> hold(mutex_);
    return lines_;
  }
  // How many lines hold this text.
  [[nodiscard]] size_t count(std::string_view text) const {
    const std::lock_guard<std::mutex> hold(mutex_);
    return count_locked(text);
  }
  [[nodiscard]] bool contains(std::string_view text) const { return count(text) > 0; }
  // Waits until `times` lines hold this text; false when `timeout` passes before.
  bool wait_for(std::string_view text, std::chrono::nanoseconds timeout, size_t times = 1) const {
    std::unique_lock<std::mutex> hold(mutex_);
    return arrived_.wait_for(hold, timeout, [&] { return count_locked(text) >= times; });
  }
  // All lines, each ended by a newline, for messages of failed tests.
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const std::string& line : lines()) all += line + "\n";
    return all;
  }

 private:
  [[nodiscard]] size_t count_locked(std::string_view text) const {
    return static_cast<size_t>(std::count_if(
        lines_.begin(), lines_.end(),
        [&](const std::string& line) { return line.find(text) != std::string::npos; }));
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable arrived_;
  std::vector<std::string> lines_;  // guarded by mutex_
};

}  // namespace cb::log
