// SPDX-License-Identifier: Apache-2.0
//
// The journal of a running backup, which becomes its cache. It only saves time: a disk that is
// full or broken ends the journal with a note, not the backup. Used by one thread.
#pragma once

#include <memory>

#include "core/client/backup_report.h"
#include "core/client/journal.h"

namespace cb::client {

class BackupJournal {
 public:
  // All outlive the journal.
  BackupJournal(os::FileSystem& files, const CacheFiles& places, BackupReport& report)
      : files_(files), places_(places), report_(report) {}

  // Creates or empties the file. Until then, and after a failure, the rest does nothing.
  void begin(const CacheHeader& header);
  [[nodiscard]] bool works() const { return writer_ != nullptr; }
  void add(const CachedEntry& entry);
  void flush();
  // All that was added, to be read from the beginning.
  Result<std::unique_ptr<CacheReader>> read(const CacheHeader& header);
  // The backup is committed: the journal becomes its cache.
  void finish(const CacheSummary& summary);

 private:
  Status become_cache(const CacheSummary& summary);
  void give_up(const Status& done);

  os::FileSystem& files_;
  const CacheFiles& places_;
  BackupReport& report_;
  std::unique_ptr<CacheWriter> writer_;
};

// What a backup says when its cache folder takes nothing.
void note_cache_trouble(BackupReport& report, const os::Path& path, const Error& error);

}  // namespace cb::client
