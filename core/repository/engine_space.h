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

namespace cb::repository {

class SpaceGuard {
 public:
  SpaceGuard(plugin::Store& store, const os::Clock& clock, uint64_t reserve)
      : store_(store), clock_(clock), reserve_(reserve) {}

  // Room for `bytes` more? Code::no_space when they would touch the reserve. A store that does not
  // know its space has room.
  Status take(uint64_t bytes);

 private:
  plugin::Store& store_;
  const os::Clock& clock_;
  const uint64_t reserve_;
  std::mutex mutex_;
  uint64_t left_ = 0;  // bytes that may be taken before the store is asked again
  std::optional<std::chrono::nanoseconds> asked_;
  bool knows_ = true;
};

}  // namespace cb::repository
