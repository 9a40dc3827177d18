// SPDX-License-Identifier: Apache-2.0
//
// The rule where nodes end, and the levels above.
#include "core/repository/tree_levels.h"

#include <xxhash.h>

namespace cb::repository {
namespace {

constexpr size_t kLeastNode = 16 * 1024;
constexpr size_t kMostNode = 128 * 1024;
constexpr uint64_t kEntryMask = (1 << 8) - 1;
constexpr uint64_t kUpperMask = (1 << 6) - 1;

}  // namespace

TreeLevels::Level& TreeLevels::level(size_t number) {
  if (number == levels_.size()) levels_.emplace_back(type_, static_cast<uint8_t>(number));
  return levels_[number];
}

Status TreeLevels::add(const Entry& entry) {
  Level& leaf = level(0);
  leaf.writer.entry(entry);
  leaf.last = entry.path;
  return close_at(0, as_bytes(leaf.last));
}

Status TreeLevels::add(const Extent& extent) {
  Level& leaf = level(0);
  leaf.writer.extent(extent);
  leaf.length += extent.length;
  return close_at(0, extent.blob.view());
}

Status TreeLevels::close_at(size_t number, ByteView hashed) {
  const NodeWriter& writer = levels_[number].writer;
  // With one item a node above the leaves would not bring the levels to an end.
  if (writer.size() < kLeastNode || (number > 0 && writer.count() < 2)) return {};
  const uint64_t mask = type_ == NodeType::entries && number == 0 ? kEntryMask : kUpperMask;
  const uint64_t hash = XXH3_64bits_withSeed(hashed.data(), hashed.size(), seed_ + number);
  return (hash & mask) == 0 || writer.size() >= kMostNode ? close(number) : Status{};
}

Status TreeLevels::close(size_t number) {
  Level& below = levels_[number];
  CB_ASSIGN(const BlobId id, sink_(below.writer.take()));
  below.closed_one = true;
  Level& above = level(number + 1);
  above.child = id;
  if (type_ == NodeType::entries) {
    above.last = below.last;
    above.writer.key(above.last, id);
    return close_at(number + 1, as_bytes(above.last));
  }
  above.writer.stretch(below.length, id);
  above.length += std::exchange(below.length, 0);
  return close_at(number + 1, id.view());
}

Result<BlobId> TreeLevels::finish() {
  for (size_t number = 0;; ++number) {
    Level& top = level(number);
    if (!top.closed_one) {
      // One node is left below: it is the root.
      if (number > 0 && top.writer.count() == 1) return top.child;
      return sink_(top.writer.take());
    }
    if (top.writer.count() > 0) CB_TRY(close(number));
  }
}

}  // namespace cb::repository
