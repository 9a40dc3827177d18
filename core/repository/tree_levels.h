// SPDX-License-Identifier: Apache-2.0
//
// What both tree builders share: one open node a level, closed where the format says. Used by one
// thread at a time.
#pragma once

#include <deque>

#include "core/repository/node_writer.h"
#include "core/repository/tree.h"

namespace cb::repository {

class TreeLevels {
 public:
  TreeLevels(NodeType type, uint64_t seed, NodeSink sink)
      : type_(type), seed_(seed), sink_(std::move(sink)) {}

  // Items of level 0, valid and in order.
  Status add(const Entry& entry);
  Status add(const Extent& extent);
  // Closes all levels; the root. Without any item a node without items.
  Result<BlobId> finish();

 private:
  struct Level {
    explicit Level(NodeType type, uint8_t number) : writer(type, number) {}
    NodeWriter writer;
    std::string last;     // path of the last item
    uint64_t length = 0;  // bytes of the file in the open node
    BlobId child;         // of the last item
    bool closed_one = false;
  };

  Level& level(size_t number);
  // Closes the node of this level if the last item, which hashes `hashed`, ends it.
  Status close_at(size_t number, ByteView hashed);
  Status close(size_t number);

  NodeType type_;
  uint64_t seed_;
  NodeSink sink_;
  std::deque<Level> levels_;
};

}  // namespace cb::repository
