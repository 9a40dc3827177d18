// SPDX-License-Identifier: Apache-2.0
//
// A drill: restores a random sample of snapshots to a scratch folder, reads it back, compares, and
// says what came of it. One Drill runs once, on the calling thread and those of its restores;
// `cancel` is for any thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "core/client/drill_scratch.h"
#include "core/client/restore.h"
#include "core/os/random.h"
#include "core/repository/drill_record.h"

namespace cb::client {

struct DrillRequest {
  std::vector<repository::SnapshotInfo> snapshots;  // 1 to 64, each once
  // When the snapshot before one of these was made, by its id: what changed since is likelier.
  std::map<repository::BlobId, int64_t> since_ns = {};
  uint64_t most_files = 50;  // of all snapshots together, as the next
  uint64_t most_bytes = 256 * 1024 * 1024;
  os::Path scratch_parent;  // where the scratch folder is made
  bool keep = false;        // the scratch folder
  // The device whose files lie on this machine: its snapshots are compared with them, below
  // `live_root`. Zero: none's.
  repository::DeviceId live_device = {};
  os::Path live_root = "/";
};

struct DrillProblem {
  repository::BlobId snapshot;
  std::string path;  // empty: of the list of files
  Error error;
};

struct DrillResult {
  int64_t begun_ns = 0;  // since 1970 UTC, as the next
  int64_t ended_ns = 0;
  std::vector<repository::BlobId> snapshots;  // by id
  uint64_t files_listed = 0;
  uint64_t files = 0;  // restored and compared
  uint64_t bytes = 0;
  uint64_t live = 0;                   // of these, compared with the source, too
  std::vector<DrillProblem> problems;  // the first 1,000
  uint64_t problem_count = 0;
  // What the scratch folder cannot hold (an attribute, say): says nothing about the backup.
  std::vector<DrillProblem> notes;  // the first 1,000
  os::Path kept;                    // the scratch folder, if it was to be kept
};

class Drill {
 public:
  // All outlive it.
  struct Parts {
    BlobFetcher* fetcher = nullptr;
    os::Random* random = nullptr;
    const os::Clock* clock = nullptr;
    std::function<void(const report::Progress&)> progress;  // may be empty
  };
  explicit Drill(Parts parts) : parts_(std::move(parts)) {}

  // What did not come back as it was is a problem of the result, not an error. Fails when the
  // connection does, with Code::no_space or what else ails the scratch folder, with Code::invalid
  // for a request that is none, with Code::limit when there are files and none fits, and with
  // Code::cancelled. The scratch folder is gone by then, unless it is to be kept.
  Result<DrillResult> run(const DrillRequest& request);
  void cancel();

 private:
  struct Picked {
    const repository::SnapshotInfo* snapshot = nullptr;
    repository::Entry file;
  };
  Status pick(const repository::SnapshotInfo& snapshot, uint64_t most_files, uint64_t most_bytes);
  Result<std::vector<repository::Entry>> draw(const repository::SnapshotInfo& snapshot,
                                              uint64_t most, uint64_t most_bytes);
  Status check_picked() const;
  Status try_all(const DrillScratch& scratch);
  Status try_one(const Picked& picked, const os::Path& folder);
  Result<RestoreResult> restore(const Picked& picked, const os::Path& folder);
  Status compare(const Picked& picked, const os::Path& folder);
  void note(const Picked& picked, const RestoreProblem& problem, bool& is_whole);
  void problem(const repository::SnapshotInfo& snapshot, const std::string& path, Error error);
  void show(size_t done, const std::string& current) const;

  Parts parts_;
  DrillRequest request_;
  DrillResult result_;
  std::vector<Picked> picked_;
  uint64_t shares_left_ = 1;            // of the bytes, for this snapshot and those after it
  uint64_t least_needed_ = UINT64_MAX;  // bytes with which a file would fit that does not
  std::atomic<bool> cancelled_{false};
  std::mutex mutex_;
  Restore* running_ = nullptr;  // guarded by mutex_
};

// The result as it is signed and sent; without the signature.
repository::DrillRecord record_of(const DrillResult& result, const repository::DeviceId& device);

}  // namespace cb::client
