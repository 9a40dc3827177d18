// SPDX-License-Identifier: Apache-2.0
//
// The time of the simulated year, and where a process of it is killed. Used by one thread.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <random>

#include "core/os/clock.h"
#include "core/os/random.h"

namespace cb::year {

constexpr std::chrono::nanoseconds kDay = std::chrono::hours(24);

// Kills the process that passes it so many times: in the middle of whatever it is at, without a
// word to any destructor. What the server asks for on its way (the time, randomness, a signature,
// whether a job may go on) passes it.
class KillPoint {
 public:
  void arm(uint64_t passes) { left_ = passes; }
  void pass() {
    if (left_ > 0 && --left_ == 0) ::kill(::getpid(), SIGKILL);
  }

 private:
  uint64_t left_ = 0;  // 0: it is not armed
};

// Stands unless it is put forward.
class YearClock final : public os::Clock {
 public:
  YearClock(std::chrono::nanoseconds begin, KillPoint& kill_point)
      : now_(begin), kill_point_(kill_point) {}
  [[nodiscard]] std::chrono::nanoseconds wall() const override {
    kill_point_.pass();
    return now_;
  }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return wall(); }
  // Does not pass the kill point.
  [[nodiscard]] std::chrono::nanoseconds now() const { return now_; }
  // To a time that is not over yet; one that is changes nothing.
  void go_to(std::chrono::nanoseconds time) { now_ = std::max(now_, time); }
  void forward(std::chrono::nanoseconds by) { now_ += by; }

 private:
  std::chrono::nanoseconds now_;
  KillPoint& kill_point_;
};

// The same bytes for the same seed.
class SeededRandom final : public os::Random {
 public:
  SeededRandom(uint64_t seed, KillPoint& kill_point) : engine_(seed), kill_point_(kill_point) {}
  Status fill(ByteSpan out) override {
    kill_point_.pass();
    for (std::byte& byte : out) byte = static_cast<std::byte>(engine_());
    return {};
  }

 private:
  std::mt19937_64 engine_;
  KillPoint& kill_point_;
};

}  // namespace cb::year
