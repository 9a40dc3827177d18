// SPDX-License-Identifier: Apache-2.0
//
// Compares two versions of a file. Small files share blobs, and lie elsewhere when they were stored
// anew: then their bytes are compared. Used by one thread.
#pragma once

#include <deque>

#include "core/client/restore.h"

namespace cb::client {

class VersionCompare {
 public:
  // `fetcher` outlives this.
  explicit VersionCompare(BlobFetcher& fetcher) : fetcher_(fetcher) {}

  // As changes_between(), but "content" is only among them when bytes differ, or when those of a
  // small file cannot be had.
  Result<std::vector<std::string>> changes(const repository::Entry& before,
                                           const repository::Entry& after);

 private:
  Result<bool> same_bytes(const repository::Entry& a, const repository::Entry& b);
  Result<Bytes> bytes_of(const repository::Entry& file);
  Result<const repository::PlainBlob*> blob(const repository::BlobId& id);

  BlobFetcher& fetcher_;
  std::deque<repository::PlainBlob> lately_;  // files that follow each other lie in the same blobs
};

}  // namespace cb::client
