// SPDX-License-Identifier: Apache-2.0
//
// What a drill looks at: a random sample in which newer snapshots, and larger and lately changed
// files, are likelier. One pass over any number of things, with memory for the sample alone. Used
// by one thread.
#pragma once

#include <vector>

#include "core/os/random.h"
#include "core/repository/entry.h"
#include "core/repository/remote.h"

namespace cb::client {

// Keeps the `most` things with the best lots; a thing of twice the weight is as likely as two of
// the single one (Efraimidis and Spirakis).
template <typename Thing>
class WeightedSample {
 public:
  // `random` outlives it.
  WeightedSample(os::Random& random, size_t most) : random_(random), most_(most) {}

  // `weight` is above 0.
  Status offer(Thing thing, double weight);
  // The best lot first, which is the order of drawing without putting back.
  std::vector<Thing> take();

 private:
  struct Lot {
    double number = 0;  // less is better
    Thing thing;
    bool operator<(const Lot& other) const { return number < other.number; }
  };
  os::Random& random_;
  size_t most_;
  std::vector<Lot> lots_;  // a heap, the worst lot in front
};

extern template class WeightedSample<repository::Entry>;
extern template class WeightedSample<repository::SnapshotInfo>;

// Of a file: grows with the logarithm of its size, four times as much when it changed after
// `changed_since_ns` (0: nothing says so).
double drill_weight(const repository::Entry& file, int64_t changed_since_ns);

// `count` of these at most, drawn so that the n-th newest has weight 1/n; oldest first. `list` is
// oldest first.
Result<std::vector<repository::SnapshotInfo>> draw_snapshots(
    const std::vector<repository::SnapshotInfo>& list, size_t count, os::Random& random);

}  // namespace cb::client
