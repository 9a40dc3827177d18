// SPDX-License-Identifier: Apache-2.0
//
// The audit log in the SQLite catalog. Thread-safe; both connections outlive it.
#pragma once

#include "core/catalog/audit.h"
#include "core/catalog/guarded.h"

namespace cb::catalog {

class SqliteAudit final : public Audit {
 public:
  SqliteAudit(Guarded& writer, Guarded& reader) : writer_(writer), reader_(reader) {}

  Status append(const std::function<std::vector<AuditRow>(const std::optional<AuditRow>& last)>&
                    next) override;
  Result<std::optional<AuditRow>> last() override;
  Result<std::vector<AuditRow>> rows(int64_t after, size_t most) override;

 private:
  Guarded& writer_;
  Guarded& reader_;
};

}  // namespace cb::catalog
