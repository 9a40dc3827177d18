// SPDX-License-Identifier: Apache-2.0
//
// Asked by intakes before they write: may this device store so much more? Abstract, since the
// engine knows bytes and the server knows limits. Thread-safe; functions may read the catalog.
#pragma once

#include <utility>

#include "core/repository/ids.h"

namespace cb::repository {

// Whose bytes they are.
struct QuotaKey {
  int64_t repository = 0;  // its number in the catalog
  DeviceId device;         // zero: the server itself, for clients of protocol v3
};

class Quota {
 public:
  virtual ~Quota() = default;

  // Sets `bytes` aside, which are going to be written. Code::limit says whose limit is in the way
  // and what can be done; nothing is set aside then.
  virtual Status take(const QuotaKey& whose, uint64_t bytes) = 0;
  // Of what was set aside, `taken` is not any more: `stored` bytes of it the catalog counts from
  // now on (at most `taken`; 0: nothing was kept).
  virtual void settle(const QuotaKey& whose, uint64_t taken, uint64_t stored) = 0;
};

// What one open pack has set aside. Gives everything back when it goes, unless it was kept. Used by
// one thread at a time.
class QuotaShare {
 public:
  QuotaShare() = default;
  // `quota` outlives it; none: there is no limit.
  QuotaShare(Quota* quota, const QuotaKey& whose) : quota_(quota), whose_(whose) {}
  QuotaShare(QuotaShare&& other) noexcept
      : quota_(other.quota_), whose_(other.whose_), taken_(std::exchange(other.taken_, 0)) {}
  QuotaShare& operator=(QuotaShare&& other) noexcept {
    keep(0);
    quota_ = other.quota_;
    whose_ = other.whose_;
    taken_ = std::exchange(other.taken_, 0);
    return *this;
  }
  ~QuotaShare() { keep(0); }

  // As Quota::take.
  Status take(uint64_t bytes) {
    if (quota_ == nullptr) return {};
    CB_TRY(quota_->take(whose_, bytes));
    taken_ += bytes;
    return {};
  }
  // `stored` bytes were written and have their row.
  void keep(uint64_t stored) {
    if (quota_ == nullptr || taken_ == 0) return;
    quota_->settle(whose_, std::exchange(taken_, 0), stored);
  }

 private:
  Quota* quota_ = nullptr;
  QuotaKey whose_;
  uint64_t taken_ = 0;
};

}  // namespace cb::repository
