// SPDX-License-Identifier: Apache-2.0
//
// Limits and usage in the SQLite catalog. Thread-safe; both connections outlive it.
#pragma once

#include "core/catalog/guarded.h"
#include "core/catalog/limits.h"

namespace cb::catalog {

class SqliteLimits final : public Limits {
 public:
  SqliteLimits(Guarded& writer, Guarded& reader) : writer_(writer), reader_(reader) {}

  Result<std::vector<LimitRow>> limits(int64_t account) override;
  Status set_limits(int64_t account, const std::vector<LimitRow>& rows) override;
  Status remove_limits(int64_t account, const Bytes16& device,
                       const std::vector<std::string>& names) override;
  Result<std::vector<UsageRow>> usage(int64_t account) override;
  Result<std::vector<OverSoftRow>> over_soft(int64_t account) override;
  Status set_over_soft(int64_t account, const OverSoftRow& row) override;

 private:
  Guarded& writer_;
  Guarded& reader_;
};

}  // namespace cb::catalog
