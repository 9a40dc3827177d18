// SPDX-License-Identifier: Apache-2.0
#include "core/client/known_ids.h"

#include <utility>

namespace cb::client {

size_t KnownIds::slot_of(const ShortId& id) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = static_cast<size_t>(load_le<uint64_t>(id.bytes.data())) & mask;
  while (!slots_[slot].is_zero() && slots_[slot] != id) slot = (slot + 1) & mask;
  return slot;
}

bool KnownIds::contains(const ShortId& id) const {
  return !slots_.empty() && slots_[slot_of(id)] == id && !id.is_zero();
}

bool KnownIds::insert(const ShortId& id) {
  if (contains(id)) return false;
  if (size_ >= most_ || id.is_zero()) return true;
  if (slots_.size() < 2 * (size_ + 1)) grow();
  slots_[slot_of(id)] = id;
  ++size_;
  return true;
}

// What stood behind it because its slot was taken moves up.
void KnownIds::erase(const ShortId& id) {
  if (!contains(id)) return;
  const size_t mask = slots_.size() - 1;
  size_t hole = slot_of(id);
  slots_[hole] = {};
  --size_;
  for (size_t next = (hole + 1) & mask; !slots_[next].is_zero(); next = (next + 1) & mask) {
    const ShortId moved = std::exchange(slots_[next], ShortId{});
    slots_[slot_of(moved)] = moved;
  }
}

void KnownIds::clear() {
  slots_ = {};
  size_ = 0;
}

void KnownIds::grow() {
  const auto old =
      std::exchange(slots_, std::vector<ShortId>(slots_.empty() ? 64 : 2 * slots_.size()));
  for (const ShortId& id : old)
    if (!id.is_zero()) slots_[slot_of(id)] = id;
}

}  // namespace cb::client
