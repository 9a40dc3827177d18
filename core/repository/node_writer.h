// SPDX-License-Identifier: Apache-2.0
//
// Writes one node item by item, as it grows (docs/repository-format.md, "Nodes"). Used by one
// thread at a time.
#pragma once

#include "core/repository/node.h"
#include "core/repository/record_writer.h"

namespace cb::repository {

// The children of a node, each once, in the order of first use.
class ChildTable {
 public:
  // The number of `id`, counted from 0; added when it is new.
  uint64_t number_of(const BlobId& id);
  [[nodiscard]] size_t size() const { return ids_.size(); }
  // All of them; the table is empty afterwards.
  std::vector<BlobId> take();

 private:
  void grow();
  size_t slot_of(const BlobId& id) const;

  std::vector<BlobId> ids_;
  std::vector<uint32_t> slots_;  // open addressing; number + 1, or 0
};

class NodeWriter {
 public:
  NodeWriter(NodeType type, uint8_t level) : type_(type), level_(level) {}

  // Items are valid and in order; that is the caller's to see to.
  void entry(const Entry& entry);                        // entries, level 0
  void key(std::string_view path, const BlobId& child);  // entries, level >= 1
  void extent(const Extent& extent);                     // extents, level 0
  void stretch(uint64_t length, const BlobId& child);    // extents, level >= 1

  // Bytes of the items and 32 for each child: what decides where a node ends.
  [[nodiscard]] size_t size() const { return items_.written().size() + 32 * children_.size(); }
  [[nodiscard]] size_t count() const { return count_; }
  // The node; the writer is empty afterwards and may begin the next one.
  EncodedNode take();

 private:
  void path(std::string_view path);
  void content(const Entry& file);

  NodeType type_;
  uint8_t level_;
  uint64_t count_ = 0;
  std::string last_;  // path
  RecordWriter items_;
  ChildTable children_;
};

}  // namespace cb::repository
