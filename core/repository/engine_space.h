// SPDX-License-Identifier: Apache-2.0
//
// Keeps a reserve of the store's space for commits and deletion: new blobs are refused when it is
// touched. Asks the store now and then only. Thread-safe.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "core/os/clock.h"
#include "core/plugin/store.h"
#include "core/repository/engine.h"

namespace cb::repository {

class SpaceGuard {
 public:
  SpaceGuard(plugin::Store& store, const os::Clock& clock, const EngineLimits& limits)
      : store_(store), clock_(clock), reserve_(limits.reserve), low_water_(limits.low_water) {}

  // Room for `bytes` more? Code::no_space when they would touch the reserve. A store that does not
  // know its space has room.
  Status take(uint64_t bytes);

  // May a backup begin? Code::no_space while less is free than the low-water mark, so that those
  // that run have the rest to end with.
  Status may_begin();
  void set_limits(uint64_t reserve, uint64_t low_water);

 private:
  Status ask(std::chrono::nanoseconds now);

  plugin::Store& store_;
  const os::Clock& clock_;
  std::mutex mutex_;
  // Guarded by mutex_:
  uint64_t reserve_;
  uint64_t low_water_;
  uint64_t free_ = 0;  // when the store was asked
  uint64_t left_ = 0;  // bytes that may be taken before the store is asked again
  std::optional<std::chrono::nanoseconds> asked_;
  bool knows_ = true;
};

}  // namespace cb::repository
