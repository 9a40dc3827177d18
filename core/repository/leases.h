// SPDX-License-Identifier: Apache-2.0
//
// Which intakes of a repository are open, and since when, by the monotonic clock: a collection
// leaves alone what came since the oldest began. Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <set>

#include "core/base/result.h"

namespace cb::repository {

class Leases {
 public:
  // From its making to its end. Waits for a collection's batch that is under way.
  class Lease {
   public:
    Lease(Leases& leases, std::chrono::nanoseconds begun, bool is_private);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

   private:
    Leases& leases_;
    const std::chrono::nanoseconds begun_;
    const bool is_private_;
  };

  // When the oldest that is open began; nothing when none is.
  std::optional<std::chrono::nanoseconds> oldest() const;
  // Calls `work` unless a private intake is open (false); none begins meanwhile. `work` makes no
  // lease.
  Result<bool> without_private(const std::function<Status()>& work) const;

 private:
  mutable std::mutex mutex_;
  std::multiset<std::chrono::nanoseconds> begun_;  // guarded by mutex_
  size_t private_ = 0;                             // guarded by mutex_
};

}  // namespace cb::repository
