// SPDX-License-Identifier: Apache-2.0
//
// Lets backups go first: while one of the repository is under way, a collection rests between its
// steps for longer than it works (docs/collection.md, "Speed"). Used by one thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include "core/repository/leases.h"

namespace cb::repository {

class CollectionPace {
 public:
  // `leases` outlives it.
  explicit CollectionPace(const Leases& leases) : leases_(leases) {}

  // Sleeps when enough was done since the last rest, until no backup is under way any more or
  // `goes_on` says no. Never with a lock held.
  void rest(const std::function<bool()>& goes_on) {
    using Clock = std::chrono::steady_clock;
    const auto worked = Clock::now() - begun_;
    if (worked < kStretch) return;
    const auto end = Clock::now() + worked * kRest / kWork;
    while (Clock::now() < end && leases_.oldest() && goes_on())
      std::this_thread::sleep_for(std::min<Clock::duration>(kNap, end - Clock::now()));
    begun_ = Clock::now();
  }

 private:
  static constexpr std::chrono::milliseconds kStretch{10}, kNap{100};
  static constexpr int kWork = 1, kRest = 2;

  const Leases& leases_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace cb::repository
