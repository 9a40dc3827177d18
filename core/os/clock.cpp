// SPDX-License-Identifier: Apache-2.0
#include "core/os/clock.h"

#include "core/base/trial.h"

namespace cb::os {
namespace {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds wall() const override {
    return std::chrono::system_clock::now().time_since_epoch() + trial::clock_ahead();
  }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return std::chrono::steady_clock::now().time_since_epoch();
  }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace cb::os
