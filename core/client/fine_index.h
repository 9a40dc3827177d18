// SPDX-License-Identifier: Apache-2.0
//
// What this machine remembers of the signatures in the repository: found by anchors of the content
// that they describe, or, those of patches, by each piece. A file of its own beside the cache.
// Thread-safe.
#pragma once

#include <mutex>

#include "core/catalog/hook_index.h"
#include "core/os/file_system.h"
#include "core/repository/blob_signature.h"

namespace cb::client {

class FineIndex {
 public:
  // A data blob in the repository, and what is in it.
  struct Described {
    repository::BlobId blob;
    repository::BlobSignature signature;
  };

  // Code::busy when another backup has it.
  static Result<std::unique_ptr<FineIndex>> open(const os::Path& file);

  [[nodiscard]] Result<bool> is_empty();
  // Counts for this object at once, for others after commit(). Of two with the same content the
  // newest is found.
  using Age = catalog::HookIndex::Age;
  Status add(const repository::BlobId& blob, const repository::BlobSignature& signature, Age age);
  Status forget(const repository::BlobId& blob);
  Status commit();

  // What has most of these anchors in common, the best first; at most `most`.
  Result<std::vector<Described>> like(const std::vector<repository::Anchor>& anchors, size_t most);
  // A patch that has this piece.
  Result<std::optional<Described>> with(const repository::PieceHash& piece);

 private:
  explicit FineIndex(std::unique_ptr<catalog::HookIndex> hooks) : hooks_(std::move(hooks)) {}
  Result<std::optional<Described>> load(int64_t number);

  std::mutex mutex_;
  std::unique_ptr<catalog::HookIndex> hooks_;  // guarded by mutex_
};

}  // namespace cb::client
