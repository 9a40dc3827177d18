// SPDX-License-Identifier: Apache-2.0
//
// A place in an entry tree: before an entry, or before a whole subtree that need not be read.
// Checks that each node holds what the node above says. Used by one thread at a time.
#pragma once

#include "core/repository/tree.h"

namespace cb::repository {

class TreeCursor {
 public:
  // Stands before the whole tree, and has read nothing.
  TreeCursor(NodeSource source, const BlobId& root)
      : source_(std::move(source)), root_(root), whole_(true) {}

  [[nodiscard]] bool at_end() const { return !whole_ && frames_.empty(); }
  // Before an entry? Otherwise, unless at the end, before a subtree.
  [[nodiscard]] bool on_entry() const {
    return !whole_ && !frames_.empty() && frames_.back().node.level == 0;
  }
  [[nodiscard]] const Entry& entry() const {
    return frames_.back().node.entries[frames_.back().at];
  }
  [[nodiscard]] const BlobId& subtree() const;
  // Of the subtree; the root's counts as the highest before it is read.
  [[nodiscard]] uint8_t level() const;

  // Goes past the entry or the subtree.
  void skip();
  // The entry; then goes past it.
  Entry take();
  // Reads the subtree's node and stands before the first thing in it.
  Status descend();
  // Goes past the node with this id if it stands before the first thing in it.
  bool leave(const BlobId& id);
  // Goes, from wherever it is, before the first entry whose path is not before `path`.
  Status seek(std::string_view path);

 private:
  struct Frame {
    BlobId id;
    Node node;
    size_t at = 0;  // of its entries or children
  };
  static size_t size_of(const Node& node);
  // The last path before the subtree; empty when there is none.
  [[nodiscard]] std::string_view path_before() const;
  Status check(const Node& node) const;
  void leave_exhausted();

  NodeSource source_;
  BlobId root_;
  bool whole_;  // before the root
  std::vector<Frame> frames_;
};

}  // namespace cb::repository
