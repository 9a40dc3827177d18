// SPDX-License-Identifier: Apache-2.0
//
// How fast the requests of one session may come: so many a second, and as many at once when it was
// quiet for a second. One that comes too early waits; nothing is refused. For one thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace cb::server {

class V4Pace {
 public:
  // 0: any number.
  void set_rate(uint64_t per_second) {
    step_ = per_second == 0 ? std::chrono::nanoseconds(0)
                            : std::chrono::nanoseconds(kBurst) / static_cast<int64_t>(per_second);
  }

  // How long the request that came `now` (monotonic) has to wait: a second at most.
  std::chrono::nanoseconds delay(std::chrono::nanoseconds now) {
    if (step_.count() == 0) return {};
    due_ = std::min(std::max(due_, now) + step_, now + 2 * std::chrono::nanoseconds(kBurst));
    return std::max(std::chrono::nanoseconds(0), due_ - now - std::chrono::nanoseconds(kBurst));
  }

 private:
  static constexpr std::chrono::seconds kBurst{1};

  std::chrono::nanoseconds step_{};
  std::chrono::nanoseconds due_{};  // when all that came would have come at this rate
};

}  // namespace cb::server
