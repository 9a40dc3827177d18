// SPDX-License-Identifier: Apache-2.0
//
// Nodes of the two content-cut trees (docs/repository-format.md, "Nodes"): their encoding, and the
// rule where one ends. Functions are pure.
#pragma once

#include <vector>

#include "core/repository/entry.h"

namespace cb::repository {

constexpr uint8_t kMaxLevel = 63;

enum class NodeType : uint8_t { entries = 1, extents = 2 };

// One node, whatever its type; only the members of its type and level are used.
struct Node {
  NodeType type = NodeType::entries;
  uint8_t level = 0;
  std::vector<Entry> entries;     // entries, level 0
  std::vector<std::string> keys;  // entries, level >= 1: the last path below each child
  std::vector<Extent> extents;    // extents, level 0
  std::vector<uint64_t> lengths;  // extents, level >= 1: bytes of the file below each child
  std::vector<BlobId> children;   // level >= 1: one for each key or length
};

// A node's plaintext and its children in the order of the format.
struct EncodedNode {
  Bytes plain;
  std::vector<BlobId> children;
};

EncodedNode encode(const Node& node);
// Code::corrupt for anything that encode does not write: wrong order, bad paths, unused or repeated
// children, left-over bytes.
Result<Node> decode_node(ByteView plain, std::span<const BlobId> children);

}  // namespace cb::repository
