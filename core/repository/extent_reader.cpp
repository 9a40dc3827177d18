// SPDX-License-Identifier: Apache-2.0
//
// Reading where a file's bytes lie, inline or from its extent tree.
#include "core/repository/tree.h"

namespace cb::repository {
namespace {

using Visit = std::function<Status(uint64_t, const Extent&)>;

// A stretch of the file, and the visitor for what of [from, to) lies in it.
struct Wanted {
  uint64_t from = 0;
  uint64_t to = 0;
  const NodeSource& source;
  const Visit& visit;

  [[nodiscard]] bool touches(uint64_t begin, uint64_t length) const {
    return begin < to && begin + length > from;
  }
};

Status visit_extents(std::span<const Extent> extents, uint64_t at, const Wanted& wanted) {
  for (const Extent& extent : extents) {
    if (wanted.touches(at, extent.length)) CB_TRY(wanted.visit(at, extent));
    at += extent.length;
  }
  return {};
}

uint64_t bytes_of(const Node& node) {
  uint64_t sum = 0;
  for (const Extent& extent : node.extents) sum += extent.length;
  for (const uint64_t length : node.lengths) sum += length;
  return sum;
}

// What the node above says of a node: where in the file it is, how long, and on which level.
struct Place {
  BlobId id;
  uint64_t at = 0;
  uint64_t length = 0;
  uint8_t level = 0;
};

Status check_root(const Node& root, const Entry& file) {
  const uint64_t bytes = bytes_of(root);
  const bool partial = (file.flags & kEntryUnreadable) != 0 && bytes < file.size;
  if (root.type == NodeType::extents && (bytes == file.size || partial)) return {};
  return failed(Code::corrupt, file.path, "has an extent tree that is not of its size");
}

Status visit_node(const Node& node, uint64_t at, const Wanted& wanted);

Status visit_child(const Place& place, const Wanted& wanted) {
  CB_ASSIGN(const Node node, wanted.source(place.id));
  const bool fits =
      node.type == NodeType::extents && node.level == place.level && bytes_of(node) == place.length;
  if (fits) return visit_node(node, place.at, wanted);
  return failed(Code::corrupt, "node " + place.id.hex(),
                "does not hold the stretch of the file that the node above says");
}

// Recursion is as deep as the tree: at most kMaxLevel.
Status visit_node(const Node& node, uint64_t at, const Wanted& wanted) {
  if (node.level == 0) return visit_extents(node.extents, at, wanted);
  Place child;
  child.at = at;
  child.level = static_cast<uint8_t>(node.level - 1);
  for (size_t i = 0; i < node.children.size() && child.at < wanted.to; ++i) {
    child.id = node.children[i];
    child.length = node.lengths[i];
    if (wanted.touches(child.at, child.length)) CB_TRY(visit_child(child, wanted));
    child.at += child.length;
  }
  return {};
}

}  // namespace

Status extents_of_range(const Entry& file, uint64_t offset, uint64_t length,
                        const NodeSource& source, const Visit& visit) {
  if (length == 0 || offset >= file.size) return {};
  const uint64_t to = length > file.size - offset ? file.size : offset + length;
  const Wanted wanted{offset, to, source, visit};
  if (file.extent_root.is_zero()) return visit_extents(file.extents, 0, wanted);
  CB_ASSIGN(const Node root, source(file.extent_root));
  CB_TRY(check_root(root, file));
  return visit_node(root, 0, wanted);
}

Status for_each_extent(const Entry& file, const NodeSource& source,
                       const std::function<Status(const Extent&)>& visit) {
  return extents_of_range(file, 0, file.size, source,
                          [&visit](uint64_t, const Extent& extent) { return visit(extent); });
}

}  // namespace cb::repository
