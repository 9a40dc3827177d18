// SPDX-License-Identifier: Apache-2.0
//
// So many acts a second, some at once: for what a server limits by address. For one thread.
#pragma once

#include <algorithm>
#include <chrono>

namespace cb::bench {

class Pace {
 public:
  Pace(double a_second, double at_once) : a_second_(a_second), most_(at_once), left_(at_once) {}

  // False when it is too early for another.
  bool take() {
    const auto now = std::chrono::steady_clock::now();
    const double passed = std::chrono::duration<double>(now - filled_).count();
    left_ = std::min(most_, left_ + passed * a_second_);
    filled_ = now;
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  double a_second_, most_, left_;
  std::chrono::steady_clock::time_point filled_ = std::chrono::steady_clock::now();
};

}  // namespace cb::bench
