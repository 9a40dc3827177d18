// SPDX-License-Identifier: Apache-2.0
#include "core/server/rate_limit.h"

#include <algorithm>

namespace cb::server {
namespace {

constexpr size_t kMaxSubjects = 16384;

}  // namespace

RateLimit::RateLimit(const os::Clock& clock, uint32_t per_minute)
    : clock_(clock), per_minute_(per_minute) {}

bool RateLimit::allow(const std::string& subject) {
  const std::lock_guard lock(mutex_);
  const std::chrono::nanoseconds now = clock_.monotonic();
  auto found = buckets_.find(subject);
  if (found == buckets_.end()) {
    if (buckets_.size() >= kMaxSubjects) drop_full_buckets(now);
    if (buckets_.size() >= kMaxSubjects) return false;
    found = buckets_.emplace(subject, Bucket{static_cast<double>(per_minute_), now}).first;
  }
  Bucket& bucket = found->second;
  bucket.tokens = refilled(bucket, now);
  bucket.filled = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

void RateLimit::set_rate(uint32_t per_minute) {
  const std::lock_guard lock(mutex_);
  per_minute_ = per_minute;
}

double RateLimit::refilled(const Bucket& bucket, std::chrono::nanoseconds now) const {
  const double minutes = static_cast<double>((now - bucket.filled).count()) / 60e9;
  return std::min<double>(per_minute_, bucket.tokens + minutes * per_minute_);
}

void RateLimit::drop_full_buckets(std::chrono::nanoseconds now) {
  std::erase_if(buckets_, [&](const auto& entry) {
    return refilled(entry.second, now) >= static_cast<double>(per_minute_);
  });
}

}  // namespace cb::server
