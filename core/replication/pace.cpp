// SPDX-License-Identifier: Apache-2.0
#include "core/replication/pace.h"

namespace cb::replication {

bool EvenPace::spend(uint64_t bytes) {
  const uint64_t per_second = rate_();
  if (per_second == 0) {
    bucket_.reset();
    return true;
  }
  const stream::Rate rate{per_second, per_second};
  const std::chrono::nanoseconds now = clock_.monotonic();
  if (!bucket_) bucket_.emplace(rate);
  if (bucket_->rate() != rate) bucket_->restart(rate, now);
  const std::chrono::nanoseconds moment = bucket_->book(bytes, now);
  return moment <= now || wait_(moment - now);
}

}  // namespace cb::replication
