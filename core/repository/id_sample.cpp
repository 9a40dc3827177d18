// SPDX-License-Identifier: Apache-2.0
#include "core/repository/id_sample.h"

#include <xxhash.h>

#include <algorithm>

namespace cb::repository {

bool IdSample::is_in(const BlobId& id) const {
  const uint64_t hash = XXH3_64bits_withSeed(id.bytes.data(), id.bytes.size(), secret_);
  return (hash & ((uint64_t{1} << halvings_) - 1)) == 0;
}

void IdSample::add(const BlobId& id, uint64_t size) {
  if (!is_in(id)) return;
  sizes_.emplace(id, size);
  while (sizes_.size() > most_) thin_to(halvings_ + 1);
}

void IdSample::thin_to(unsigned halvings) {
  if (halvings <= halvings_) return;
  halvings_ = halvings;
  std::erase_if(sizes_, [this](const auto& one) { return !is_in(one.first); });
}

IdSample::Count IdSample::without(const IdSample& other) const {
  Count count;
  for (const auto& [id, size] : sizes_) {
    if (other.sizes_.contains(id)) continue;
    ++count.blobs;
    count.bytes += size;
  }
  count.blobs <<= halvings_;
  count.bytes <<= halvings_;
  return count;
}

IdSample::Difference difference_of(IdSample& first, IdSample& second) {
  const unsigned halvings = std::max(first.halvings_, second.halvings_);
  first.thin_to(halvings);
  second.thin_to(halvings);
  return {first.without(second), second.without(first)};
}

}  // namespace cb::repository
