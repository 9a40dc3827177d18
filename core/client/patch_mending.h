// SPDX-License-Identifier: Apache-2.0
//
// Damaged patches that are made anew of the files that lean on them. A patch was put together by
// chance, so nobody makes the same one again; but its signature says which pieces it had, and each
// that comes along while those files are read again finds its place. Thread-safe.
#pragma once

#include <mutex>
#include <unordered_map>

#include "core/client/fine_index.h"

namespace cb::client {

class PatchMending {
 public:
  // A piece that a damaged patch had.
  void take(const FineIndex::Described& patch, const repository::PieceHash& hash, ByteView piece);

  // A patch that has all of its pieces: headroom and content, each once. That it is the same blob
  // its id tells.
  struct Made {
    repository::BlobId blob;
    Bytes buffer;
  };
  std::vector<Made> made();

 private:
  struct Making {
    Bytes buffer;             // headroom and content
    std::vector<bool> there;  // as the signature's pieces
    size_t missing = 0;       // pieces
  };
  static void fill(const repository::BlobSignature& signature, const repository::PieceHash& hash,
                   ByteView piece, Making& making);

  std::mutex mutex_;
  // Guarded by the mutex:
  std::unordered_map<repository::BlobId, Making, repository::IdHash> making_;
  size_t held_ = 0;  // bytes in making_
  std::vector<Made> made_;
};

}  // namespace cb::client
