// SPDX-License-Identifier: Apache-2.0
#include "core/client/backoff.h"

#include <algorithm>
#include <array>

#include "core/base/bytes.h"

namespace cb::client {

using std::chrono::nanoseconds;

Backoff::Backoff(const BackoffSettings& settings, os::Random& random)
    : settings_(settings), random_(&random), span_(settings.first) {}

nanoseconds Backoff::next() {
  std::array<std::byte, 4> drawn{};
  // Without randomness the pause is merely not spread.
  const double share = random_->fill(drawn)
                           ? static_cast<double>(load_le<uint32_t>(drawn.data())) / 4294967296.0
                           : 1.0;
  const double length = static_cast<double>(span_.count()) * (0.5 + share / 2);
  span_ = std::min(settings_.most, span_ * 2);
  return nanoseconds(static_cast<int64_t>(length));
}

void Backoff::reset() { span_ = settings_.first; }

CircuitBreaker::CircuitBreaker(const BreakerSettings& settings, const os::Clock& clock)
    : settings_(settings), clock_(&clock) {}

bool CircuitBreaker::allows() const {
  return failures_ < settings_.failures || clock_->monotonic() - opened_ >= settings_.rest;
}

void CircuitBreaker::succeeded() { failures_ = 0; }

void CircuitBreaker::failed() {
  ++failures_;
  if (failures_ >= settings_.failures) opened_ = clock_->monotonic();
}

}  // namespace cb::client
