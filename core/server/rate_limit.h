// SPDX-License-Identifier: Apache-2.0
//
// A token bucket for each subject (an address, say), with bounded memory. Thread-safe; does not
// block.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "core/os/clock.h"

namespace cb::server {

class RateLimit {
 public:
  // Each subject may do `per_minute` things a minute, and as many at once. 0 = nothing is allowed.
  RateLimit(const os::Clock& clock, uint32_t per_minute);

  // Takes a token of `subject`; false when there is none.
  bool allow(const std::string& subject);

  void set_rate(uint32_t per_minute);

 private:
  struct Bucket {
    double tokens = 0;
    std::chrono::nanoseconds filled{};
  };
  void drop_full_buckets(std::chrono::nanoseconds now);
  [[nodiscard]] double refilled(const Bucket& bucket, std::chrono::nanoseconds now) const;

  const os::Clock& clock_;
  std::mutex mutex_;
  // Guarded by mutex_:
  uint32_t per_minute_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace cb::server
