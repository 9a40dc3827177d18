// SPDX-License-Identifier: Apache-2.0
//
// Time, injected wherever it matters so that tests can stop it. Implementations are thread-safe.
#pragma once

#include <chrono>

namespace cb::os {

class Clock {
 public:
  virtual ~Clock() = default;

  // Time since 1970-01-01 UTC; may jump in both directions.
  [[nodiscard]] virtual std::chrono::nanoseconds wall() const = 0;

  // Time since an unknown moment; never goes back.
  [[nodiscard]] virtual std::chrono::nanoseconds monotonic() const = 0;
};

// The system's clock. Lives for ever.
const Clock& system_clock();

}  // namespace cb::os
