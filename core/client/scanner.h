// SPDX-License-Identifier: Apache-2.0
//
// Walks the sources of a backup and gives what is there in snapshot order, with all metadata;
// threads of its own look ahead within a fixed number of names and entries. A Scanner has one
// consumer; `cancel` and a ScanItem's `open` are for any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/client/excludes.h"
#include "core/os/account_names.h"
#include "core/os/folder_cache.h"
#include "core/os/tree.h"
#include "core/repository/entry.h"

namespace cb::client {

// What tells a file that was seen before from one that changed.
struct SourceStat {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;  // bytes
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  uint32_t links = 0;

  bool operator==(const SourceStat&) const = default;
};

SourceStat source_stat(const os::NodeStat& stat);

struct ScanItem {
  repository::Entry entry;  // without extents
  SourceStat stat;
  uint64_t allocated = 0;  // bytes on disk; less than entry.size when there may be holes

  // Opens the file for reading, from any thread, also after the Scanner is gone. It may be another
  // one by now: compare source_stat of its stat() with `stat`.
  [[nodiscard]] Result<std::unique_ptr<os::TreeFile>> open() const;

  std::shared_ptr<os::FolderCache> folders;
  std::shared_ptr<const std::string> folder;  // path of the folder it lies in, for `folders`
};

struct ScanRequest {
  std::vector<std::string> paths;      // absolute, of files, folders, or anything else
  const Excludes* excludes = nullptr;  // outlives the scan; sources themselves are never excluded
  bool exclude_caches = false;         // of folders with a CACHEDIR.TAG only that file is taken
  bool one_file_system = false;        // mount points are taken, what is mounted there is not
  unsigned threads = 0;                // that look ahead; 0: as many as cores, at most 8
};

struct ScanCounts {
  uint64_t files = 0, folders = 0, others = 0;
  uint64_t bytes = 0;     // of files
  uint64_t excluded = 0;  // names; what lies below an excluded folder is not counted
  uint64_t vanished = 0;  // listed, but gone when looked at
  uint64_t problems = 0;
};

// The sources as a snapshot names them: absolute, without leading slash, symbolic links in the way
// to them resolved, sorted (compare_paths), each once; a source below another stays. "/" is "".
// What is missing goes to `problem`; an error when nothing is left.
Result<std::vector<std::string>> snapshot_sources(
    os::Tree& tree, const std::vector<std::string>& paths,
    const std::function<void(const std::string& path, Error)>& problem);

class ScanWalk;

class Scanner {
 public:
  // All outlive the Scanner.
  struct Parts {
    os::Tree* tree = nullptr;
    os::AccountNames* names = nullptr;
    // Called by `open` and `next`, on the caller's thread, with the snapshot path.
    std::function<void(const std::string& path, Error)> problem;
  };

  // Code::io when none of the sources is there, Code::invalid for a relative one.
  static Result<std::unique_ptr<Scanner>> open(Parts parts, const ScanRequest& request);
  ~Scanner();

  // The next item in snapshot order; nothing at the end. The folders above a source are items too.
  // A folder that cannot be read is given with kEntryUnreadable, after its problem was told.
  // Fails only with Code::cancelled.
  Result<std::optional<ScanItem>> next();
  void cancel();

  // As snapshot_sources.
  [[nodiscard]] const std::vector<std::string>& sources() const;
  // Of what `next` gave so far.
  [[nodiscard]] ScanCounts counts() const;

 private:
  explicit Scanner(std::unique_ptr<ScanWalk> walk);
  std::unique_ptr<ScanWalk> walk_;
};

// Counts what a Scanner will find, beside it, for the total of a progress display.
class PreScan {
 public:
  // Starts at once, on threads of its own. The tree and the excludes outlive it. What cannot be
  // read is left to the Scanner to tell.
  PreScan(os::Tree& tree, const ScanRequest& request);
  ~PreScan();  // stops it

  // So far, from any thread; whole once `done`.
  [[nodiscard]] ScanCounts counts() const;
  [[nodiscard]] bool done() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cb::client
