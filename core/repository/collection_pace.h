// SPDX-License-Identifier: Apache-2.0
//
// Lets backups go first: while one of the repository is under way, a collection rests between its
// steps for longer than it works (docs/collection.md, "Speed"). Used by one thread.
#pragma once

#include <chrono>
#include <thread>

#include "core/repository/leases.h"

namespace cb::repository {

class CollectionPace {
 public:
  // `leases` outlives it.
  explicit CollectionPace(const Leases& leases) : leases_(leases) {}

  // Sleeps when enough was done since the last rest; never with a lock held.
  void rest() {
    const auto worked = std::chrono::steady_clock::now() - begun_;
    if (worked < kStretch) return;
    if (leases_.oldest()) std::this_thread::sleep_for(worked * kRest / kWork);
    begun_ = std::chrono::steady_clock::now();
  }

 private:
  static constexpr std::chrono::milliseconds kStretch{10};
  static constexpr int kWork = 1, kRest = 2;

  const Leases& leases_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace cb::repository
