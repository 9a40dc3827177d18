// SPDX-License-Identifier: Apache-2.0
//
// When to try again, and when to stop trying: exponential backoff with jitter, and a circuit
// breaker. Used by one thread at a time; no waiting happens here.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/os/clock.h"
#include "core/os/random.h"

namespace cb::client {

struct BackoffSettings {
  std::chrono::nanoseconds first = std::chrono::milliseconds(500);
  std::chrono::nanoseconds most = std::chrono::seconds(8);
};

// Each pause is drawn from the upper half of a span that doubles up to `most`, so that clients that
// lost one server together do not come back together.
class Backoff {
 public:
  // `random` outlives the backoff.
  Backoff(const BackoffSettings& settings, os::Random& random);

  // How long to wait before the next try.
  std::chrono::nanoseconds next();
  // Starts anew after a success.
  void reset();

 private:
  BackoffSettings settings_;
  os::Random* random_;
  std::chrono::nanoseconds span_;
};

struct BreakerSettings {
  uint32_t failures = 5;  // in a row
  std::chrono::nanoseconds rest = std::chrono::seconds(30);
};

// Refuses tries for `rest` after so many failures in a row; then lets one through, whose result
// decides.
class CircuitBreaker {
 public:
  // `clock` outlives the breaker.
  CircuitBreaker(const BreakerSettings& settings, const os::Clock& clock);

  // May a try be made now?
  [[nodiscard]] bool allows() const;
  void succeeded();
  void failed();

 private:
  BreakerSettings settings_;
  const os::Clock* clock_;
  uint32_t failures_ = 0;
  std::chrono::nanoseconds opened_{};
};

}  // namespace cb::client
