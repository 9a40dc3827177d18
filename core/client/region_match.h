// SPDX-License-Identifier: Apache-2.0
//
// How a piece of a big file can be had of blobs that are in the repository already
// (docs/fine-grain.md). Pure but for the index, which it reads; for any thread.
#pragma once

#include <functional>

#include "core/client/fine_index.h"

namespace cb::client {

// A stretch of the region: in a blob, or new.
struct RegionPart {
  uint32_t length = 0;
  std::optional<repository::BlobId> blob;  // none: it is in no blob yet
  uint32_t offset = 0;                     // in the blob
  repository::PieceHash hash;              // of a new one
};

struct BlobUse {
  // May content lean on this blob?
  std::function<bool(const repository::BlobId&)> is_usable;
  // A piece of the region that a patch has which may not be leant on.
  std::function<void(const FineIndex::Described& patch, const repository::PieceHash& hash,
                     ByteView piece)>
      is_of_patch;
};

// The parts in order, or none when it is better stored whole: when less than half of it is there,
// or it would lie in too many places.
// `anchors` are the region's.
Result<std::vector<RegionPart>> match_region(const repository::WriteKeys& keys, FineIndex& index,
                                             const BlobUse& use, ByteView region,
                                             const std::vector<repository::Anchor>& anchors);

}  // namespace cb::client
