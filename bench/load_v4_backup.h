// SPDX-License-Identifier: Apache-2.0
//
// One backup as the load tools make it: blobs put one after the other, and the commit. Coroutines
// of one thread.
#pragma once

#include <vector>

#include "bench/load_v4_caller.h"

namespace cb::bench {

class V4Backup {
 public:
  // Both outlive it.
  V4Backup(V4Caller& caller, const V4Device& device) : caller_(caller), device_(device) {}

  // Puts the record of a session; before all else.
  stream::Task<void> begin();
  // Puts a blob under an id that is drawn.
  stream::Task<repository::BlobId> put(repository::BlobKind kind,
                                       std::vector<repository::BlobId> children, ByteView stored);
  // Puts a blob under this id.
  stream::Task<void> put_as(const repository::BlobId& id, repository::BlobKind kind,
                            std::vector<repository::BlobId> children, ByteView stored);
  // Puts a node above `data` and a snapshot above that, and commits a file of `size` bytes. The
  // receipt is checked: it is the server's, and about this snapshot. Returns the snapshot.
  stream::Task<repository::BlobId> commit(std::vector<repository::BlobId> data, uint64_t size);

  // After begin.
  [[nodiscard]] const repository::SessionId& session() const { return session_; }

 private:
  Status check_receipt(const std::string& receipt, const repository::CommitRequest& request) const;

  V4Caller& caller_;
  const V4Device& device_;
  repository::SessionId session_;
};

// `size` random bytes.
Result<Bytes> drawn_bytes(size_t size);

}  // namespace cb::bench
