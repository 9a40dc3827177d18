// SPDX-License-Identifier: Apache-2.0
//
// What this machine remembers of the signatures in the repository: found by anchors of the content
// that they describe, or, those of patches, by each piece. A file of its own beside the cache.
// Thread-safe.
#pragma once

#include <functional>
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

  // Did the last run with it come to its end? If not, it may name what never became durable.
  [[nodiscard]] bool was_settled();
  Status settle();
  [[nodiscard]] Result<bool> is_empty();
  Result<bool> contains(const repository::BlobId& blob);
  // Of two with the same content the newest is found.
  using Age = catalog::HookIndex::Age;
  Status add(const repository::BlobId& blob, const repository::BlobSignature& signature, Age age);
  // Forgets what is not there, by the answers to questions of up to 4,096 ids.
  using Have = std::function<Result<std::vector<bool>>(std::span<const repository::BlobId>)>;
  Status forget_missing(const Have& have);

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
