// SPDX-License-Identifier: Apache-2.0
#include "core/stream/token_bucket.h"

#include <algorithm>

namespace cb::stream {

using std::chrono::nanoseconds;

namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kLeastTurn = uint64_t{4} << 10;
constexpr uint64_t kMostTurn = uint64_t{1} << 20;
constexpr uint64_t kTurnsInSecond = 64;
constexpr uint64_t kMostBooked = uint64_t{1} << 40;

// How long `bytes` take. At kMostRate the product just fits.
nanoseconds time_of(uint64_t bytes, uint64_t per_second, bool round_up) {
  const uint64_t some = std::min(bytes, kMostBooked);
  const uint64_t rest = some % per_second * kSecond;
  const uint64_t up = round_up ? per_second - 1 : 0;
  const uint64_t part = rest / per_second + (rest % per_second + up) / per_second;
  return nanoseconds(static_cast<int64_t>(some / per_second * kSecond + part));
}

Rate in_bounds(const Rate& rate) {
  return {std::clamp(rate.per_second, kLeastRate, kMostRate), std::max<uint64_t>(rate.burst, 1)};
}

}  // namespace

uint64_t turn_of(const Rate& rate) {
  return std::clamp(rate.per_second / kTurnsInSecond, kLeastTurn, kMostTurn);
}

TokenBucket::TokenBucket(const Rate& rate)
    : rate_(in_bounds(rate)), fill_time_(time_of(rate_.burst, rate_.per_second, false)) {}

// Rounded so that the bytes are rather late than early.
nanoseconds TokenBucket::book(uint64_t bytes, nanoseconds now) {
  full_at_ = std::max(full_at_, now) + time_of(bytes, rate_.per_second, true);
  return std::max(now, full_at_ - fill_time_);
}

nanoseconds TokenBucket::book_among_others(uint64_t bytes, nanoseconds now) {
  return std::max(book(bytes, now), now + time_of(bytes, rate_.per_second, true));
}

void TokenBucket::restart(const Rate& rate, nanoseconds now) {
  rate_ = in_bounds(rate);
  fill_time_ = time_of(rate_.burst, rate_.per_second, false);
  full_at_ = now + fill_time_;
}

}  // namespace cb::stream
