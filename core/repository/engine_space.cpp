// SPDX-License-Identifier: Apache-2.0
//
// See engine_space.h.
#include "core/repository/engine_space.h"

#include <algorithm>

#include "core/base/units.h"

namespace cb::repository {
namespace {

constexpr std::chrono::nanoseconds kFresh = std::chrono::seconds(1);
constexpr uint64_t kUnasked = 64 * kMiB;  // others fill the disk too

}  // namespace

// A store that cannot tell is never asked again.
Status SpaceGuard::ask(std::chrono::nanoseconds now) {
  const auto space = store_.space();
  if (!space && space.error().code == Code::unsupported) {
    knows_ = false;
    return {};
  }
  if (!space) return failed(space.error());
  asked_ = now;
  free_ = space->free;
  left_ = space->free > reserve_ ? std::min(space->free - reserve_, kUnasked) : 0;
  return {};
}

Status SpaceGuard::take(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (!knows_ || reserve_ == 0) return {};
  const auto now = clock_.monotonic();
  if (!asked_ || now - *asked_ > kFresh || bytes > left_) CB_TRY(ask(now));
  if (!knows_) return {};
  if (bytes > left_)
    return failed(Code::no_space, "store", "has no room for more but its reserve",
                  "make room on the server, or forget snapshots");
  left_ -= bytes;
  return {};
}

Status SpaceGuard::may_begin() {
  const std::lock_guard lock(mutex_);
  if (!knows_ || low_water_ == 0) return {};
  const auto now = clock_.monotonic();
  if (!asked_ || now - *asked_ > kFresh) CB_TRY(ask(now));
  if (!knows_ || free_ >= low_water_) return {};
  return failed(Code::no_space, "store",
                "has " + format_size(free_) + " free, less than its low-water mark of " +
                    format_size(low_water_) + ", and takes no new backups",
                "make room on the server; what was backed up is safe");
}

void SpaceGuard::set_limits(uint64_t reserve, uint64_t low_water) {
  const std::lock_guard lock(mutex_);
  reserve_ = reserve;
  low_water_ = low_water;
  asked_.reset();
  left_ = 0;
}

}  // namespace cb::repository
