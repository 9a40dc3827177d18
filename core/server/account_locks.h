// SPDX-License-Identifier: Apache-2.0
//
// A lock for each account, held while something of it changes: who keeps one account waiting keeps
// no other waiting. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

namespace cb::server {

class AccountLocks {
 public:
  [[nodiscard]] std::unique_lock<std::mutex> lock(int64_t account) {
    return std::unique_lock(of(account));
  }

 private:
  std::mutex& of(int64_t account) {
    const std::lock_guard lock(mutex_);
    return of_account_[account];
  }

  std::mutex mutex_;
  std::map<int64_t, std::mutex> of_account_;  // guarded by mutex_; none is removed
};

}  // namespace cb::server
