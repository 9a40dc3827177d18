// SPDX-License-Identifier: Apache-2.0
//
// Drills in the SQLite catalog. Thread-safe; both connections outlive it.
#pragma once

#include "core/catalog/drills.h"
#include "core/catalog/guarded.h"

namespace cb::catalog {

class SqliteDrills final : public Drills {
 public:
  SqliteDrills(Guarded& writer, Guarded& reader) : writer_(writer), reader_(reader) {}

  Status put_drill(int64_t repository, const DrillRow& row) override;
  Result<std::vector<DrillRow>> drills(int64_t repository) override;
  Result<std::optional<int64_t>> missing_since(int64_t repository) override;
  Status set_missing(int64_t repository, std::optional<int64_t> since_ns) override;

 private:
  Guarded& writer_;
  Guarded& reader_;
};

}  // namespace cb::catalog
