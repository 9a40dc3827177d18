// SPDX-License-Identifier: Apache-2.0
#include "core/replication/pace.h"

#include <algorithm>

namespace cb::replication {

using std::chrono::nanoseconds;

bool EvenPace::spend(uint64_t bytes) {
  const uint64_t rate = rate_();
  if (rate == 0) return true;
  const nanoseconds now = clock_.monotonic();
  const double seconds = static_cast<double>(bytes) / static_cast<double>(rate);
  free_ = std::max(free_, now - nanoseconds(std::chrono::seconds(1))) +
          nanoseconds(static_cast<int64_t>(seconds * 1e9));
  return free_ <= now || wait_(free_ - now);
}

}  // namespace cb::replication
