// SPDX-License-Identifier: Apache-2.0
//
// How big a snapshot's tree is, and how it differs from another's, by what the catalog knows of
// blobs: kinds, children and stored sizes. Needs no key. Functions block; they keep nothing.
#pragma once

#include <functional>

#include "core/catalog/index.h"
#include "core/repository/ids.h"

namespace cb::repository {

// Sums over the nodes of a tree: a blob counts for each node that names it.
struct TreeSize {
  uint64_t nodes = 0;
  uint64_t blobs = 0, bytes = 0;  // of content; bytes are stored ones

  friend bool operator==(const TreeSize&, const TreeSize&) = default;
};

struct TreeChange {
  TreeSize more, less;                      // nodes that only the later has, and only the earlier
  uint64_t new_blobs = 0, new_bytes = 0;    // content that only nodes of the later need
  uint64_t gone_blobs = 0, gone_bytes = 0;  // and of the earlier

  friend bool operator==(const TreeChange&, const TreeChange&) = default;
};

struct TreePlace {
  int64_t repository = 0;
  catalog::View view;  // of the device whose snapshots they are
  // Asked between look-ups; false: stop (Code::cancelled). May be empty.
  std::function<bool()> goes_on;
};

// Code::not_found when a node is missing, as one of a snapshot that is gone may be.
Result<TreeSize> measure_tree(catalog::Index& index, const TreePlace& place, const BlobId& root);

// Looks only below nodes that the other has not on the same level. Memory for each distinct blob
// that is new or gone is bounded: from 256 Ki on of either they are counted by a sample, which
// `secret` draws, so that who chooses ids cannot choose what is counted.
Result<TreeChange> compare_trees(catalog::Index& index, const TreePlace& place,
                                 const BlobId& before, const BlobId& after, uint64_t secret);

}  // namespace cb::repository
