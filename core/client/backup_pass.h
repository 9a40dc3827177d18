// SPDX-License-Identifier: Apache-2.0
//
// One walk over the sources: what did not change is taken from the cache, the rest is read, cut and
// handed over; entries go into the tree and the journal. A pass runs once, on one thread; `stop` is
// for any.
#pragma once

#include <map>
#include <mutex>

#include "core/client/backup_commit.h"
#include "core/client/backup_content.h"
#include "core/client/backup_entries.h"
#include "core/client/backup_journal.h"
#include "core/client/backup_report.h"
#include "core/client/change_tally.h"
#include "core/client/mending.h"
#include "core/client/scanner.h"

namespace cb::client {

// What a pass works with. All outlive it.
struct PassParts {
  const Backup::Parts* base = nullptr;
  const BackupRequest* request = nullptr;
  const Excludes* excludes = nullptr;
  repository::Remote* remote = nullptr;
  BlobLine* line = nullptr;
  OldEntries* old = nullptr;
  Mending* mending = nullptr;
  const CacheSummary* last = nullptr;  // of the last backup; may be missing
  const BegunFile* begun = nullptr;    // what an earlier pass got to; may be missing
  BackupJournal* journal = nullptr;    // missing in a dry run
  os::Tree* tree = nullptr;
  os::AccountNames* names = nullptr;
  BackupReport* report = nullptr;
  std::vector<std::string> paths;  // of the snapshot
  CacheHeader header;              // of the journal
};

struct PassCounts {
  uint64_t files_unchanged = 0;
  uint64_t files_changed = 0;
  uint64_t bytes_read = 0;
};

class BackupPass {
 public:
  explicit BackupPass(PassParts parts);

  // The root of the tree. Everything is handed over to the line by then.
  Result<repository::BlobId> run();
  void stop();

  [[nodiscard]] const EntryCounts& entries() const { return queue_.counts(); }
  [[nodiscard]] const PassCounts& counts() const { return counts_; }
  // What became of the files of the last backup; nothing where that is not known.
  [[nodiscard]] std::optional<repository::ChangeReport> report() const;
  // The last big file that it began, for the next pass; may be missing.
  [[nodiscard]] std::shared_ptr<BegunFile> begun() const { return begun_; }
  // For the cache that this pass wrote.
  [[nodiscard]] CacheSummary summary(const repository::BlobId& snapshot) const;

 private:
  struct Name {  // of a file with several
    std::shared_ptr<LinkedContent> content;
    uint32_t left = 0;  // names that have not come yet
  };
  using Inode = std::pair<uint64_t, uint64_t>;

  Status take(ScanItem item);
  Status take_file(ScanItem item);
  bool take_link(ScanItem& item);
  bool take_unchanged(ScanItem& item);
  void tell_changed(const ScanItem& item);
  bool mend(ScanItem& item, const CachedEntry& cached);
  Result<Bytes> read_whole(os::TreeFile& file, const os::NodeStat& stat);
  Status read(ScanItem& item);
  Status read_small(os::TreeFile& file, const os::NodeStat& stat, WaitingEntry& waiting);
  Status read_big(os::TreeFile& file, const os::NodeStat& stat, WaitingEntry& waiting);
  uint64_t take_up(WaitingEntry& waiting);
  void judge(const ContentRead& read, os::TreeFile& file, const os::NodeStat& before,
             WaitingEntry& waiting);
  bool lies_well(const CachedEntry& cached) const;
  void link(const ScanItem& item, WaitingEntry& waiting);
  Status make_room();
  Status checkpoint();
  Result<std::optional<repository::BlobId>> plant_journal();

  PassParts parts_;
  repository::Cutter cutter_;
  BundleTable bundles_;
  PieceStream small_;  // what small files share
  PieceStream big_;
  EntryQueue queue_;
  std::shared_ptr<BegunFile> begun_;
  std::map<Inode, Name> links_;
  Bytes buffer_;
  PassCounts counts_;
  ChangeTally tally_;
  uint64_t done_ = 0;  // bytes of files looked at
  std::chrono::nanoseconds next_checkpoint_{};
  std::chrono::nanoseconds next_flush_{};
  std::mutex mutex_;
  std::unique_ptr<Scanner> scanner_;  // guarded by mutex_ while it is set
  bool stopped_ = false;              // guarded by mutex_
};

}  // namespace cb::client
