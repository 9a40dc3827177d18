// SPDX-License-Identifier: Apache-2.0
//
// See collection_weak.h.
#include "core/repository/collection_weak.h"

namespace cb::repository {

Status WeakRows::mark_living(std::vector<int64_t> numbers) {
  const auto lives = [this](const catalog::MarkedRow& row) {
    return !old_packs_.contains(row.pack) || mark_.is_marked(row.number);
  };
  for (std::span<const int64_t> left = numbers; !left.empty();) {
    CB_ASSIGN(const std::vector<bool> living, rows_.describe_live(repository_, left, lives));
    for (size_t i = 0; i < living.size(); ++i)
      if (living[i]) mark_.keep(left[i]);
    left = left.subspan(living.size());
  }
  return {};
}

Status WeakRows::mark_living(std::span<const catalog::HeldBlob> rows) {
  std::vector<int64_t> numbers;
  for (const catalog::HeldBlob& row : rows)
    if (is_weak(static_cast<BlobKind>(row.kind)) && !mark_.is_marked(row.number))
      numbers.push_back(row.number);
  return mark_living(std::move(numbers));
}

Status WeakRows::mark_living(std::span<const catalog::DeadRow> rows) {
  std::vector<int64_t> numbers;
  for (const catalog::DeadRow& row : rows) numbers.push_back(row.number);
  return mark_living(std::move(numbers));
}

}  // namespace cb::repository
