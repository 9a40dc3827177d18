// SPDX-License-Identifier: Apache-2.0
//
// A budget of bytes: what is written counts, what is removed or aborted is given back. It counts
// from the moment it came into force. Thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>

namespace store_fault {

class Budget {
 public:
  // `budget` as Standing has it: bytes, -1 for none.
  void set(int64_t budget) {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (budget == budget_) return;
    budget_ = budget;
    limit_ = used_ + budget;
  }

  // False, and nothing taken, when there is not so much left.
  bool take(uint64_t bytes) {
    const std::lock_guard<std::mutex> hold(mutex_);
    const auto more = static_cast<int64_t>(bytes);
    if (budget_ >= 0 && more > limit_ - used_) return false;
    used_ += more;
    return true;
  }

  void give_back(uint64_t bytes) {
    const std::lock_guard<std::mutex> hold(mutex_);
    used_ -= static_cast<int64_t>(bytes);
  }

  // What is left of `free` bytes below.
  uint64_t left(uint64_t free) {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (budget_ < 0) return free;
    return std::min(free, static_cast<uint64_t>(std::max<int64_t>(limit_ - used_, 0)));
  }

 private:
  std::mutex mutex_;
  int64_t budget_ = -1;
  int64_t limit_ = 0;  // of used_
  int64_t used_ = 0;
};

}  // namespace store_fault
