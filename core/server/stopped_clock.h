// SPDX-License-Identifier: Apache-2.0
//
// A clock that tests put forward. Thread-safe.
#pragma once

#include <atomic>

#include "core/os/clock.h"

namespace cb::server {

class StoppedClock final : public os::Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds wall() const override {
    return std::chrono::seconds(1'800'000'000) + monotonic();
  }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return std::chrono::nanoseconds(time_.load());
  }
  void forward(std::chrono::nanoseconds by) { time_ += by.count(); }

 private:
  std::atomic<int64_t> time_{3'600'000'000'000};
};

}  // namespace cb::server
