// SPDX-License-Identifier: Apache-2.0
#include "core/client/drill_sample.h"

#include <algorithm>
#include <cmath>

namespace cb::client {
namespace {

constexpr double kOfChanged = 4;
constexpr double kSmallFile = 4096;

// In (0, 1].
Result<double> uniform(os::Random& random) {
  Bytes bytes(sizeof(uint64_t));
  CB_TRY(random.fill(bytes));
  constexpr int kDigits = 53;
  const uint64_t number = load_le<uint64_t>(bytes.data()) >> (64 - kDigits);
  return std::ldexp(static_cast<double>(number + 1), -kDigits);
}

}  // namespace

template <typename Thing>
Status WeightedSample<Thing>::offer(Thing thing, double weight) {
  if (most_ == 0) return {};
  CB_ASSIGN(const double chance, uniform(random_));
  const double number = -std::log(chance) / weight;
  if (lots_.size() == most_) {
    if (lots_.front().number <= number) return {};
    std::pop_heap(lots_.begin(), lots_.end());
    lots_.pop_back();
  }
  lots_.push_back({number, std::move(thing)});
  std::push_heap(lots_.begin(), lots_.end());
  return {};
}

template <typename Thing>
std::vector<Thing> WeightedSample<Thing>::take() {
  std::sort_heap(lots_.begin(), lots_.end());
  std::vector<Thing> things;
  for (Lot& lot : lots_) things.push_back(std::move(lot.thing));
  lots_.clear();
  return things;
}

template class WeightedSample<repository::Entry>;
template class WeightedSample<repository::SnapshotInfo>;

double drill_weight(const repository::Entry& file, int64_t changed_since_ns) {
  const double of_size = 1 + std::log2(1 + static_cast<double>(file.size) / kSmallFile);
  const bool has_changed = changed_since_ns != 0 && file.mtime_ns > changed_since_ns;
  return has_changed ? kOfChanged * of_size : of_size;
}

Result<std::vector<repository::SnapshotInfo>> draw_snapshots(
    const std::vector<repository::SnapshotInfo>& list, size_t count, os::Random& random) {
  WeightedSample<repository::SnapshotInfo> sample(random, count);
  for (size_t i = 0; i < list.size(); ++i)
    CB_TRY(sample.offer(list[i], 1.0 / static_cast<double>(list.size() - i)));
  std::vector<repository::SnapshotInfo> drawn = sample.take();
  std::sort(drawn.begin(), drawn.end(),
            [](const auto& a, const auto& b) { return a.commit.sequence < b.commit.sequence; });
  return drawn;
}

}  // namespace cb::client
