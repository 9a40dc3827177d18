// SPDX-License-Identifier: Apache-2.0
//
// The steps of a hostile server's script, and what all such servers have in common. One thread at a
// time.
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "tests/conversation/steps.h"

namespace cb::conversation {

// Counts what moved, for Impatience.
inline std::atomic<uint64_t>& progress() {
  static std::atomic<uint64_t> count{0};
  return count;
}

class Script {
 public:
  explicit Script(std::vector<Step> steps) : steps_(std::move(steps)) {}

  // What answers the next request: up to and with the first step whose `c` is even. At the end of
  // the script none: the server is honest from then on.
  std::vector<Step> next() {
    std::vector<Step> some;
    while (at_ < steps_.size()) {
      some.push_back(steps_[at_++]);
      if (some.back().c % 2 == 0) break;
    }
    return some;
  }

 private:
  std::vector<Step> steps_;
  size_t at_ = 0;
};

}  // namespace cb::conversation
