// SPDX-License-Identifier: Apache-2.0
//
// One run of a restore: goes through the entries in path order, makes what has no content at once,
// gathers what has in windows, and does what must wait for it (further names, metadata of folders)
// behind each window. Used by one thread; what files report back is for any.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "core/client/entry_walk.h"
#include "core/client/restore_journal.h"
#include "core/client/restore_window.h"
#include "core/os/account_names.h"

namespace cb::client {

class RestoreRun {
 public:
  RestoreRun(const Restore::Parts& parts, const RestoreRequest& request,
             const std::atomic<bool>& cancelled);
  ~RestoreRun();
  Result<RestoreResult> run();

 private:
  // Waits until the window is written.
  struct Later {
    repository::Entry entry;
    std::string source_path;
    std::string first;  // of the names of this file, below the target; empty: a folder to finish
  };

  Status find_place();
  Status open_target();
  Status go_through();
  Status each(repository::Entry entry);
  bool is_in_order(const repository::Entry& entry);
  Status leave_folders(const std::string& path);

  Status act(const repository::Entry& entry);
  Result<SafeTarget::Standing> standing(const repository::Entry& entry);
  Status act_folder(const repository::Entry& entry, SafeTarget::Standing standing);
  Status act_file(const repository::Entry& entry, SafeTarget::Standing standing);
  Status act_other(const repository::Entry& entry, SafeTarget::Standing standing);
  Status plan(const repository::Entry& entry);
  Status add_extents(const std::shared_ptr<RestoreFile>& file);
  void keep_file(const repository::Entry& entry);
  bool is_further_name(const repository::Entry& entry);
  Status link_later(const repository::Entry& entry, SafeTarget::Standing standing);

  Status flush();
  Status do_later(const Later& later);
  Status finish();
  Status finish_top();

  void wrote(uint64_t bytes);
  void restored(const RestoreFile& file);
  void lost_file(const RestoreFile& file, const Error& error);
  void problem(const std::string& path, const Error& error);
  // A problem of this entry alone, or the end of the restore.
  Status tolerate(const Status& done, const std::string& path);
  void lost_stretch(const LostStretch& lost);
  bool concerns(const LostStretch& lost) const;
  void step(RestoreStep what, const repository::Entry& entry);
  void show(const std::string& current, bool now);

  const Restore::Parts& parts_;
  const RestoreRequest& request_;
  const std::atomic<bool>& cancelled_;
  os::AccountNames names_;
  RestoreJournal journal_;
  std::unique_ptr<SafeTarget> target_;
  std::unique_ptr<SafeTarget> earlier_;  // judges what the interrupted run made
  std::string done_through_;             // of the interrupted run
  RestoreFile::Host host_;
  RestoreWindow window_;
  EntryWalk walk_;

  std::string prefix_;   // of the snapshot, cut off the paths; with a slash at the end, or empty
  bool single_ = false;  // the path names no folder
  std::optional<repository::Entry> top_;  // the folder whose content goes into the target
  bool sets_top_ = false;                 // the target gets its metadata

  std::string source_path_;   // of the entry at hand
  std::string last_path_;     // below the target
  std::string through_;       // up to here all entries were seen, and their pieces are in windows
  std::string closed_;        // nothing may be below it: it is no folder, or could not be made
  bool closed_told_ = false;  // that it could not be made
  std::vector<Later> open_folders_;
  std::deque<Later> later_;
  size_t waiting_ = 0;  // entries since the last window
  std::map<std::pair<uint64_t, uint64_t>, std::string> first_names_;  // by device and inode

  std::mutex mutex_;  // the rest is guarded by it
  RestoreResult result_;
  std::set<std::string> lost_first_names_;
  std::optional<report::ProgressMeter> meter_;
  uint64_t done_bytes_ = 0;
  std::chrono::nanoseconds shown_{};
};

}  // namespace cb::client
