// SPDX-License-Identifier: Apache-2.0
//
// A stretch of content on its way to the repository, and where a file's bytes lie in such. Plain
// values; `placed` is for any thread, the rest is set before it.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "core/repository/ids.h"

namespace cb::client {

struct Piece;

// A stretch of a file in a piece that may not have a place yet.
struct Stretch {
  uint64_t length = 0;
  std::shared_ptr<Piece> piece;  // none: a hole
  uint64_t offset = 0;           // in the piece
};

struct Piece {
  std::atomic<bool> placed = false;  // never goes back
  // Once placed: a data blob of this id, or, when there are parts, those one behind the other.
  repository::BlobId id;
  std::vector<Stretch> parts;
  uint32_t size = 0;  // bytes; once handed over
};

}  // namespace cb::client
