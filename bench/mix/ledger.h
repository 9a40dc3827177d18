// SPDX-License-Identifier: Apache-2.0
//
// What the server has acknowledged: snapshots of each device and the blobs below them. For one
// thread.
#pragma once

#include <deque>
#include <optional>
#include <random>
#include <vector>

#include "core/repository/ids.h"

namespace cb::bench {

struct Acknowledged {
  repository::BlobId snapshot;
  std::vector<repository::BlobId> data;
};

class Ledger {
 public:
  explicit Ledger(size_t devices) : snapshots_(devices) {}

  void add(size_t device, Acknowledged snapshot) {
    snapshots_.at(device).push_back(std::move(snapshot));
    ++sum_;
  }
  // The newest; nothing before the first.
  [[nodiscard]] std::optional<Acknowledged> newest(size_t device) const {
    const auto& all = snapshots_.at(device);
    if (all.empty()) return std::nullopt;
    return all.back();
  }
  // Any of them.
  [[nodiscard]] std::optional<Acknowledged> any(size_t device, std::mt19937_64& random) const {
    const auto& all = snapshots_.at(device);
    if (all.empty()) return std::nullopt;
    return all[random() % all.size()];
  }
  [[nodiscard]] size_t count(size_t device) const { return snapshots_.at(device).size(); }
  // Takes the oldest out when there are more than `most`.
  std::optional<Acknowledged> take_oldest(size_t device, size_t most) {
    auto& all = snapshots_.at(device);
    if (all.size() <= most) return std::nullopt;
    Acknowledged oldest = std::move(all.front());
    all.pop_front();
    return oldest;
  }
  // How many were acknowledged.
  [[nodiscard]] size_t sum() const { return sum_; }

 private:
  std::vector<std::deque<Acknowledged>> snapshots_;  // by device, oldest first
  size_t sum_ = 0;
};

}  // namespace cb::bench
