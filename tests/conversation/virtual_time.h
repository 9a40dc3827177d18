// SPDX-License-Identifier: Apache-2.0
//
// Time that a program puts forward: link virtual_time.cpp into it, and steady_clock, and with it
// every timer and deadline of the process, runs ahead of the machine's by what was put forward.
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "core/os/clock.h"

namespace cb::conversation {

// From now on it is so much later.
void forward(std::chrono::nanoseconds by);
// Back to the machine's time; nothing waits for a moment.
void forward_no_more();

// Puts time forward by `step` whenever `progress` has not changed for some milliseconds: who waits
// for a peer that says nothing waits no longer than that. Runs on a thread of its own.
class Impatience {
 public:
  Impatience(const std::atomic<uint64_t>& progress, std::chrono::nanoseconds step);
  ~Impatience();
  Impatience(const Impatience&) = delete;
  Impatience& operator=(const Impatience&) = delete;

 private:
  std::atomic<bool> ends_{false};
  std::thread thread_;
};

// The same time as an injected clock, its wall time likewise.
class VirtualClock final : public os::Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds wall() const override;
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override;
};

}  // namespace cb::conversation
