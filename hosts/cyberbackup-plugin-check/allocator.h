// SPDX-License-Identifier: Apache-2.0
//
// The allocator of this whole program, plugins included: counts what is in use, and fails on
// request. Built without sanitizers only, as they bring their own. Thread-safe; a failure is for
// the thread that asked for it.
#pragma once

#include <cstdint>

namespace cb::check {

// Is this the program's allocator in this build?
bool allocator_counts();

// Blocks that were allocated and not yet freed, by all threads.
int64_t blocks_in_use();

// While it lives, the n-th allocation of this thread (from 1) fails. One at a time.
class FailingAllocation {
 public:
  explicit FailingAllocation(uint64_t nth);
  ~FailingAllocation();
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;

  // From now on none fails.
  void stop();
  // Did one fail? After stop.
  [[nodiscard]] bool did_fail() const { return failed_; }

 private:
  bool failed_ = false;
  bool stopped_ = false;
};

}  // namespace cb::check
