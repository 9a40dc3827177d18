// SPDX-License-Identifier: Apache-2.0
//
// Entries of the snapshot being made, waiting in path order until it is known in which blobs their
// content lies; then they go into the tree and the cache. Used by one thread at a time.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "core/client/backup_journal.h"
#include "core/client/begun_file.h"
#include "core/client/bundle.h"
#include "core/repository/tree.h"

namespace cb::client {

// The content of a file with several names, once the first one is settled.
struct LinkedContent {
  uint64_t size = 0;
  uint64_t flags = 0;
  std::vector<repository::Extent> extents;
  repository::BlobId extent_root;
  std::vector<repository::BlobId> blobs;
};

struct WaitingEntry {
  CachedEntry cached;
  std::vector<Stretch> stretches;        // not among its extents yet
  size_t parts_done = 0;                 // of the first stretch, when its piece lies in parts
  bool open = false;                     // it is still being read
  bool small = false;                    // it lies in blobs with other files
  std::shared_ptr<BegunFile> begun;      // told where a big file lies
  std::shared_ptr<LinkedContent> gives;  // to later names
  std::shared_ptr<LinkedContent> takes;  // from the first name, which stands before it
  size_t weight = 0;                     // bytes of memory, about; kept by the queue
};

struct EntryCounts {
  uint64_t files = 0, folders = 0, others = 0;
  uint64_t bytes = 0;  // of files
};

class EntryQueue {
 public:
  // All outlive the queue.
  struct Parts {
    uint64_t seed = 0;  // gear word 0
    BlobLine* line = nullptr;
    BackupJournal* journal = nullptr;  // may be missing
    BundleTable* bundles = nullptr;    // may be missing
    std::function<void(const std::string& path, Error)> problem;
  };
  explicit EntryQueue(Parts parts);

  // Stays valid until the entry is closed and the queue moved on.
  WaitingEntry& push(WaitingEntry entry);
  // It was read to its end.
  void close(WaitingEntry& entry);
  // Lets go what is settled.
  Status drain();
  // Does so much wait that it must move before more comes?
  [[nodiscard]] bool full() const;
  // Waits until the first one can move; false when it waits for nothing that was handed over.
  Result<bool> wait();
  // Waits for all; the root of the tree.
  Result<repository::BlobId> finish();

  [[nodiscard]] const EntryCounts& counts() const { return counts_; }
  // Nodes of the trees built, for the next backup.
  [[nodiscard]] const std::vector<ShortId>& nodes() const { return nodes_; }

 private:
  Result<bool> settle(WaitingEntry& front);
  Result<bool> settle_stretch(WaitingEntry& front, const Stretch& stretch);
  Status add_extent(WaitingEntry& front, const Stretch& stretch);
  Status begin_tree(WaitingEntry& front);
  Status add_to_tree(WaitingEntry& front, const repository::Extent& extent);
  Status end_extents(WaitingEntry& front);
  Status emit(WaitingEntry& front);
  void count(const repository::Entry& entry);
  Status plant(repository::Entry& entry);
  void note_node(const repository::BlobId& id);
  repository::NodeSink sink();

  Parts parts_;
  std::deque<WaitingEntry> waiting_;
  size_t weight_ = 0;
  repository::TreeBuilder tree_;
  std::unique_ptr<repository::ExtentBuilder> extents_;  // of the first one, when it has many
  std::vector<repository::BlobId> extent_nodes_;        // of the same
  bool noting_ = true;                                  // its blobs, while they are not too many
  EntryCounts counts_;
  std::vector<ShortId> nodes_;
};

}  // namespace cb::client
