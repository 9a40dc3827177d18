// SPDX-License-Identifier: Apache-2.0
#include "core/server/request_times.h"

#include <algorithm>

namespace cb::server {

void RequestTimes::note(uint16_t code, std::chrono::nanoseconds took) {
  if (code < first_ || code - first_ >= static_cast<int>(kCodes)) return;
  One& one = all_.at(static_cast<size_t>(code - first_));
  const double seconds = std::chrono::duration<double>(took).count();
  const auto place = std::lower_bound(kSeconds.begin(), kSeconds.end(), seconds);
  ++one.counts.at(static_cast<size_t>(place - kSeconds.begin()));
  one.nanoseconds += took.count();
}

void RequestTimes::note_failure(Code code) {
  const auto place = static_cast<size_t>(-static_cast<int32_t>(code));
  if (place < kErrors) ++failures_.at(place);
}

std::vector<RequestTimes::Times> RequestTimes::times() const {
  std::vector<Times> found;
  for (size_t i = 0; i < kCodes; ++i) {
    Times times;
    times.code = static_cast<uint16_t>(first_ + i);
    uint64_t sum = 0;
    for (size_t c = 0; c < times.counts.size(); ++c) {
      times.counts.at(c) = all_.at(i).counts.at(c);
      sum += times.counts.at(c);
    }
    times.seconds = static_cast<double>(all_.at(i).nanoseconds) / 1e9;
    if (sum > 0) found.push_back(times);
  }
  return found;
}

std::vector<RequestTimes::Failures> RequestTimes::failures() const {
  std::vector<Failures> found;
  for (size_t i = 1; i < kErrors; ++i)
    if (const uint64_t count = failures_.at(i); count > 0)
      found.push_back({static_cast<Code>(-static_cast<int32_t>(i)), count});
  return found;
}

}  // namespace cb::server
