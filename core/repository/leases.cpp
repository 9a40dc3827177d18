// SPDX-License-Identifier: Apache-2.0
//
// See leases.h.
#include "core/repository/leases.h"

namespace cb::repository {

Leases::Lease::Lease(Leases& leases, std::chrono::nanoseconds begun, bool is_private)
    : leases_(leases), begun_(begun), is_private_(is_private) {
  const std::lock_guard lock(leases_.mutex_);
  leases_.begun_.insert(begun_);
  if (is_private_) ++leases_.private_;
}

Leases::Lease::~Lease() {
  const std::lock_guard lock(leases_.mutex_);
  leases_.begun_.erase(leases_.begun_.find(begun_));
  if (is_private_) --leases_.private_;
}

std::optional<std::chrono::nanoseconds> Leases::oldest() const {
  const std::lock_guard lock(mutex_);
  if (begun_.empty()) return std::nullopt;
  return *begun_.begin();
}

Result<bool> Leases::without_private(const std::function<Status()>& work) const {
  const std::lock_guard lock(mutex_);
  if (private_ > 0) return false;
  CB_TRY(work());
  return true;
}

}  // namespace cb::repository
