// SPDX-License-Identifier: Apache-2.0
//
// Building, reading and comparing the trees of snapshots (docs/repository-format.md, "Nodes").
// Builders and walkers are used by one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/repository/node.h"

namespace cb::repository {

// Where finished nodes go: names, seals and stores the node and returns its id.
using NodeSink = std::function<Result<BlobId>(const EncodedNode&)>;
// Fetches and opens a node.
using NodeSource = std::function<Result<Node>(const BlobId&)>;

// Builds the entry tree of a snapshot from entries in path order. Keeps one open node a level.
class TreeBuilder {
 public:
  // `seed` is gear word 0.
  TreeBuilder(uint64_t seed, NodeSink sink);
  ~TreeBuilder();
  // Code::invalid when the path is not behind the last one or may not stand in a snapshot.
  Status add(const Entry& entry);
  // The root. The builder is spent.
  Result<BlobId> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Builds the extent tree of one file; used when a file has more than kInlineExtents.
class ExtentBuilder {
 public:
  ExtentBuilder(uint64_t seed, NodeSink sink);
  ~ExtentBuilder();
  Status add(const Extent& extent);
  // Sets `entry.extents` (at most kInlineExtents) or `entry.extent_root`.
  Status finish(Entry& entry);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// All extents of a file in order, inline or from its tree.
Status for_each_extent(const Entry& file, const NodeSource& source,
                       const std::function<Status(const Extent&)>& visit);
// Those that touch bytes [offset, offset + length); `visit` also gets the extent's place in the
// file.
Status extents_of_range(const Entry& file, uint64_t offset, uint64_t length,
                        const NodeSource& source,
                        const std::function<Status(uint64_t, const Extent&)>& visit);

// Walks the entries of a tree in path order.
class TreeWalker {
 public:
  TreeWalker(NodeSource source, const BlobId& root);
  ~TreeWalker();
  // Starts at the first entry whose path is not before `path` instead of at the first.
  Status seek(std::string_view path);
  // Nothing at the end.
  Result<std::optional<Entry>> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The entry with this path, reading one node a level; nothing when there is none.
Result<std::optional<Entry>> find_entry(const NodeSource& source, const BlobId& root,
                                        std::string_view path);

struct Difference {
  std::optional<Entry> before;  // none: added
  std::optional<Entry> after;   // none: removed
};
// What differs between two trees, in path order. Skips stretches whose nodes are the same.
Status compare_trees(const NodeSource& source, const BlobId& before, const BlobId& after,
                     const std::function<Status(const Difference&)>& visit);

}  // namespace cb::repository
