// SPDX-License-Identifier: Apache-2.0
//
// How long the requests of a protocol took, by their code, and how often the server answered with
// an error, by its code. Thread-safe; does not block.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "core/base/result.h"

namespace cb::server {

class RequestTimes {
 public:
  // Upper ends of the classes of duration, in seconds; one more class has what took longer.
  static constexpr std::array<double, 8> kSeconds = {0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60};
  // Codes that are told apart: so many from `first` on.
  static constexpr size_t kCodes = 128;

  struct Times {
    uint16_t code = 0;
    std::array<uint64_t, kSeconds.size() + 1> counts{};  // of each class
    double seconds = 0;                                  // all together
  };
  struct Failures {
    Code code = Code::internal;
    uint64_t count = 0;
  };

  explicit RequestTimes(uint16_t first) : first_(first) {}

  // A request was answered. Codes that are not told apart are left out.
  void note(uint16_t code, std::chrono::nanoseconds took);
  // The answer was an error.
  void note_failure(Code code);

  // Of the codes that came, in their order.
  [[nodiscard]] std::vector<Times> times() const;
  [[nodiscard]] std::vector<Failures> failures() const;

 private:
  struct One {
    std::array<std::atomic<uint64_t>, kSeconds.size() + 1> counts{};
    std::atomic<int64_t> nanoseconds{0};
  };
  static constexpr size_t kErrors = 19;  // Code is -1 to -18

  const uint16_t first_;
  std::array<One, kCodes> all_;
  std::array<std::atomic<uint64_t>, kErrors> failures_{};
};

}  // namespace cb::server
