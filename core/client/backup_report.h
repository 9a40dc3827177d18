// SPDX-License-Identifier: Apache-2.0
//
// What a backup tells while it runs, and what it says in the end: progress records, files that
// could not be read, notes. Used by one thread at a time.
#pragma once

#include <functional>
#include <optional>

#include "core/client/backup.h"

namespace cb::client {

class BackupReport {
 public:
  // `clock` outlives this.
  BackupReport(const os::Clock& clock, std::function<void(const report::Progress&)> show)
      : clock_(&clock), show_(std::move(show)) {}

  // A new try: what the last one said about files is forgotten.
  void restart();
  void phase(const std::string& name);
  // Bytes that will be looked at; 0: unknown.
  void expect(uint64_t total) { total_ = total; }
  // At most ten times a second goes further.
  void at(uint64_t done, const std::string& current);

  void unreadable(const std::string& path, Error error);
  void note(const std::string& path, const std::string& what);
  // Puts what was said into the result.
  void into(BackupResult& result) const;
  [[nodiscard]] uint64_t unreadable_count() const { return unreadable_count_; }
  [[nodiscard]] bool shows() const { return static_cast<bool>(show_); }

 private:
  const os::Clock* clock_;
  std::function<void(const report::Progress&)> show_;
  std::optional<report::ProgressMeter> meter_;
  std::chrono::nanoseconds shown_{};
  uint64_t total_ = 0;
  std::vector<Unreadable> unreadable_;
  uint64_t unreadable_count_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace cb::client
