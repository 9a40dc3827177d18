// SPDX-License-Identifier: Apache-2.0
//
// Which signatures and recipes a collection keeps: those whose children all live
// (docs/collection.md, "Weak rows"). Used by one thread at a time.
#pragma once

#include "core/repository/collection_mark.h"

namespace cb::repository {

class WeakRows {
 public:
  // All outlive it.
  WeakRows(catalog::Collection& rows, int64_t repository, const NumberSet& old_packs, Mark& mark)
      : rows_(rows), repository_(repository), old_packs_(old_packs), mark_(mark) {}

  // Marks the weak ones of these rows, of old packs, that describe what the mark has met by now, or
  // what lies in young packs. What it marks stays marked: marks are never taken back.
  Status mark_living(std::span<const catalog::HeldBlob> rows);
  // The same of rows that were found dead before.
  Status mark_living(std::span<const catalog::DeadRow> rows);

 private:
  Status mark_living(std::vector<int64_t> numbers);

  catalog::Collection& rows_;
  int64_t repository_;
  const NumberSet& old_packs_;
  Mark& mark_;
};

}  // namespace cb::repository
