// SPDX-License-Identifier: Apache-2.0
//
// Who fails again and again has to wait, each time twice as long; for each subject (an account, an
// address), with bounded memory. Thread-safe; does not block.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "core/os/clock.h"

namespace cb::server {

struct LockOutSettings {
  uint32_t tries = 5;                                       // that cost nothing
  std::chrono::nanoseconds wait = std::chrono::seconds(2);  // after one more; then doubled
  std::chrono::nanoseconds longest = std::chrono::minutes(15);
};

class LockOut {
 public:
  LockOut(const os::Clock& clock, const LockOutSettings& settings);

  // How long this subject has to wait before it may try again; 0: it may.
  std::chrono::nanoseconds wait_of(const std::string& subject);
  // Counts a failure; how long the subject has to wait now. Failures are forgotten when the subject
  // was free to try for as long as the longest wait.
  std::chrono::nanoseconds fail(const std::string& subject);
  // Takes a failure back that was counted in advance.
  void take_back(const std::string& subject);
  // Forgets all failures of the subject.
  void clear(const std::string& subject);

  void set(const LockOutSettings& settings);
  // Subjects that are remembered.
  [[nodiscard]] size_t size() const;

 private:
  struct Entry {
    uint32_t failures = 0;
    std::chrono::nanoseconds until{};  // may not try before
  };
  using Entries = std::map<std::string, Entry>;

  [[nodiscard]] std::chrono::nanoseconds wait_after(uint32_t failures) const;
  Entries::iterator find(const std::string& subject, std::chrono::nanoseconds now);
  void make_room(std::chrono::nanoseconds now);

  const os::Clock& clock_;
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  LockOutSettings settings_;
  Entries entries_;
};

}  // namespace cb::server
