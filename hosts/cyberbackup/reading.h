// SPDX-License-Identifier: Apache-2.0
//
// What the commands that read snapshots share: an open place, keys and a fetcher, and how they
// show progress. Used by one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/client/restore.h"
#include "hosts/cyberbackup/workplace.h"

namespace cb {

// Members go in reverse order: what is made of others goes first.
struct Reading {
  std::unique_ptr<Workplace> place;
  std::shared_ptr<repository::Remote> remote;
  repository::Keyring keyring;
  std::unique_ptr<repository::Opener> opener;
  std::unique_ptr<client::BlobFetcher> fetcher;

  // Loads the profile, connects, and unlocks the keys.
  static Result<Reading> open(const CommonOptions& options);

  // One that knows no sessions yet.
  [[nodiscard]] Result<std::unique_ptr<repository::Opener>> fresh_opener() const;
  // The snapshot of this name (Workplace::snapshot), to be read next: see `use`.
  [[nodiscard]] Result<repository::SnapshotInfo> choose(const std::string& text) const;
  // This snapshot is read from now on: its device's copies, after a look whether its file list is
  // the one that the device signed. Warns when the server told that device another history.
  [[nodiscard]] Status use(const repository::SnapshotInfo& info) const;
};

// Oldest first; without checkpoints when there is something else.
Result<std::vector<repository::SnapshotInfo>> readable_snapshots(repository::Remote& remote);

// Shows an operation on stderr, or with --json as lines on stdout. For any thread, one at a time.
class ReadProgress {
 public:
  explicit ReadProgress(const CommonOptions& options);
  void show(const report::Progress& progress);
  // Before other output: clears a line that is drawn.
  void clear();

 private:
  bool json_;
  bool terminal_;
  bool drawn_ = false;
  report::ProgressPrinter printer_;
};

// Writes to stdout; Code::closed when the reader has gone.
Status print(std::string_view text);

}  // namespace cb
