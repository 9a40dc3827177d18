// SPDX-License-Identifier: Apache-2.0
#include "core/watch/baseline.h"

#include <algorithm>
#include <cmath>

namespace cb::watch {
namespace {

// The median absolute deviation times this is the standard deviation of a normal distribution.
constexpr double kOfNormal = 1.4826;
// What came so often before, or nearly so, is usual however rare it is.
constexpr size_t kSeenBefore = 2;
constexpr double kNearly = 0.8;
// From so many deviations above the median on a value begins to be unusual, and is.
constexpr double kBegins = 4;
constexpr double kIs = 8;

double median_of_rising(const std::vector<double>& rising) {
  if (rising.empty()) return 0;
  const size_t middle = rising.size() / 2;
  if (rising.size() % 2 == 1) return rising[middle];
  return (rising[middle - 1] + rising[middle]) / 2;
}

}  // namespace

double ramp(double value, double from, double to) {
  return std::clamp((value - from) / (to - from), 0.0, 1.0);
}

Baseline::Baseline(std::vector<double> past, size_t least, double slack)
    : past_(std::move(past)), slack_(slack) {
  std::sort(past_.begin(), past_.end());
  median_ = median_of_rising(past_);
  std::vector<double> apart;
  for (const double value : past_) apart.push_back(std::abs(value - median_));
  std::sort(apart.begin(), apart.end());
  deviation_ = kOfNormal * median_of_rising(apart);
  is_known_ = !past_.empty() && past_.size() >= least;
}

double Baseline::unusual(double value, double unknown) const {
  if (!is_known_) return unknown;
  const auto alike = std::lower_bound(past_.begin(), past_.end(), value * kNearly);
  if (static_cast<size_t>(past_.end() - alike) >= kSeenBefore) return 0;
  return ramp(value, median_ + std::max(kBegins * deviation_, slack_),
              median_ + std::max(kIs * deviation_, 2 * slack_));
}

}  // namespace cb::watch
