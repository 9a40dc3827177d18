// SPDX-License-Identifier: Apache-2.0
//
// Sending again what was found damaged in the repository, from files that did not change. A file of
// its own pieces is read and cut again. A blob that small files share is made anew byte by byte
// from all of its files, so that it heals old snapshots, too; where that is not possible (one
// changed, or is gone), its files are stored anew. Used by one thread at a time.
#pragma once

#include <map>
#include <unordered_map>
#include <unordered_set>

#include "core/client/blob_line.h"
#include "core/client/cache.h"

namespace cb::client {

class Mending {
 public:
  Mending() = default;
  // Asks what is wanted. Code::limit past a million blobs.
  Status ask(repository::Remote& remote);
  [[nodiscard]] bool is_idle() const { return wanted_.empty(); }
  using Ids = std::unordered_set<repository::BlobId, repository::IdHash>;
  [[nodiscard]] const Ids& wanted() const { return wanted_; }

  // Before a pass: what its cache says of shared blobs, and where made ones go. All outlive it.
  void begin(const CacheSummary* last, const repository::WriteKeys& keys, BlobLine& line);
  // The nodes that are there, of those that the last backup left.
  [[nodiscard]] std::vector<ShortId> whole(const std::vector<ShortId>& nodes) const;

  // What an unchanged file needs.
  enum class Need {
    nothing,
    content,  // tell take() its content, and it stays as it was
    reading,  // as one that changed
  };
  [[nodiscard]] Need need(const CachedEntry& cached, bool is_small) const;
  // The content of a small file; a blob that is whole by it is made and handed over.
  Status take(const CachedEntry& cached, ByteView content);

  // After a pass: are there files that were left as they were, and whose blob could not be made?
  // Then another pass stores them anew.
  [[nodiscard]] bool has_failed();
  // Shared blobs that were made.
  [[nodiscard]] uint64_t made() const { return made_; }

 private:
  // A shared blob that is being made.
  struct Making {
    Bytes buffer;                        // headroom and plaintext
    std::map<uint32_t, uint32_t> there;  // begin to end, apart from each other
  };

  void put(Making& making, uint64_t offset, ByteView bytes);
  Status finish(const repository::BlobId& id, Making& making);
  [[nodiscard]] bool can_make(const repository::BlobId& id) const;

  Ids wanted_;
  Ids hopeless_;  // shared ones that could not be made
  std::unordered_set<ShortId, repository::IdHash> wanted_short_;
  std::unordered_map<ShortId, uint32_t, repository::IdHash> sizes_;  // of shared ones in full use
  std::unordered_map<repository::BlobId, Making, repository::IdHash> making_;
  size_t held_ = 0;  // bytes in making_
  const repository::WriteKeys* keys_ = nullptr;
  BlobLine* line_ = nullptr;
  uint64_t made_ = 0;
  bool has_failed_ = false;  // one in this pass
};

}  // namespace cb::client
