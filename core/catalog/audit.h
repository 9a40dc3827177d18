// SPDX-License-Identifier: Apache-2.0
//
// The rows of the audit log: records in their order, each with the hash that chains it to the one
// before (docs/operations.md, "Audit log"). What a record says and how it is hashed is not known
// here. Thread-safe; functions block.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/catalog/index.h"

namespace cb::catalog {

struct AuditRow {
  int64_t sequence = 0;  // from 1, without a gap
  Bytes record;
  Bytes32 hash{};

  friend bool operator==(const AuditRow&, const AuditRow&) = default;
};

class Audit {
 public:
  virtual ~Audit() = default;

  // Adds the rows that `next` makes of the last one (nothing: there is none), all of them or none,
  // while nobody else adds any. `next` uses nothing of the catalog. Code::exists when a sequence is
  // there already. Durable when it returns.
  virtual Status append(
      const std::function<std::vector<AuditRow>(const std::optional<AuditRow>& last)>& next) = 0;
  // Nothing when there is none.
  virtual Result<std::optional<AuditRow>> last() = 0;
  // At most `most` rows whose sequence is greater than `after`, in their order.
  virtual Result<std::vector<AuditRow>> rows(int64_t after, size_t most) = 0;
};

}  // namespace cb::catalog
