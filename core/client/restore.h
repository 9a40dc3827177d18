// SPDX-License-Identifier: Apache-2.0
//
// The restore engine: entries of a snapshot back into a folder, or one file to a stream. One
// Restore runs once, on the calling thread and threads of its own; `cancel` is for any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/os/file_system.h"
#include "core/report/progress.h"
#include "core/repository/keys.h"
#include "core/repository/remote.h"
#include "core/repository/tree.h"

namespace cb::client {

enum class Overwrite { always, if_changed, never };

struct RestoreRequest {
  repository::BlobId root;  // of the snapshot
  std::string path;  // in the snapshot; empty: all. What is below a folder goes into `target`
  os::Path target;
  Overwrite overwrite = Overwrite::if_changed;
  bool resume = false;
  bool dry_run = false;
  bool verify = false;          // read back and compare
  bool owners = true;           // set owners when allowed to
  bool must_be_empty = false;   // the target; Code::exists when it is not
  uint64_t bytes_expected = 0;  // for the progress; 0: unknown
  unsigned threads = 0;         // that fetch and open; 0: four
};

struct RestoreCounts {
  uint64_t files = 0, folders = 0, others = 0;
  uint64_t bytes = 0;
  uint64_t files_kept = 0;  // were there already
  uint64_t bytes_fetched = 0;
};

struct RestoreProblem {
  std::string path;
  Error error;
};

// What becomes of an entry; shown by a dry run.
enum class RestoreStep { create, replace, keep, link };
std::string_view name_of(RestoreStep step);

struct RestoreResult {
  RestoreCounts counts;
  std::vector<RestoreProblem> problems;  // the first 1,000
  uint64_t problem_count = 0;
};

// Fetches and opens blobs, keeping lately used nodes; learns session keys as needed. Thread-safe.
class BlobFetcher {
 public:
  // Makes another connection after one was lost; for any thread.
  using Connect = std::function<Result<std::shared_ptr<repository::Remote>>()>;
  // The devices that may have put a copy of a blob. For any thread.
  using Devices = std::function<std::vector<repository::DeviceId>()>;
  BlobFetcher(std::shared_ptr<repository::Remote> remote, repository::Opener& opener,
              Connect reconnect = {}, Devices devices = {});
  ~BlobFetcher();
  // From now on the copies are wanted that the snapshots of this device were made with; at first
  // those of the device that logged in. When a copy does not open, those of `devices` are tried
  // before it is an error.
  void read_as(const repository::DeviceId& device);
  Result<repository::Node> node(const repository::BlobId& id);
  Result<repository::PlainBlob> blob(const repository::BlobId& id);
  // Many at once, in any order, one call at a time.
  Status blobs(std::span<const repository::BlobId> ids,
               const std::function<Status(repository::PlainBlob)>& sink);

  // One answer for each id: the blob, or why it cannot be had. `answer` is called from up to
  // `threads` threads at once. Fails when the connection does, or with what `answer` fails with.
  using Answer = std::function<Status(const repository::BlobId&, Result<repository::PlainBlob>)>;
  Status fetch(std::span<const repository::BlobId> ids, unsigned threads, const Answer& answer);

  // Fetches each node when it is asked for: for looking up and comparing.
  repository::NodeSource source();
  // Also fetches the neighbours that come next: for walking. Used by one thread at a time.
  repository::NodeSource walking_source();
  [[nodiscard]] const repository::WriteKeys& write_keys() const;
  // The records of the sessions whose blobs were opened, as they are stored.
  [[nodiscard]] std::map<repository::SessionId, Bytes> session_records() const;
  [[nodiscard]] uint64_t bytes_fetched() const;
  [[nodiscard]] uint64_t nodes_fetched() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Restore {
 public:
  // All outlive the Restore.
  struct Parts {
    BlobFetcher* fetcher = nullptr;
    std::function<void(const report::Progress&)> progress;  // may be empty
    const os::Clock* clock = nullptr;
    os::Path state_folder;  // keeps how far a restore came, for `resume`; empty: nowhere
    // Gets each entry, its path as in the target, before it is restored; may be empty.
    std::function<void(RestoreStep, const repository::Entry&)> step;
  };
  explicit Restore(Parts parts);
  ~Restore();

  // Code::not_found when the snapshot has no such path; Code::exists when the target is in the way;
  // Code::no_space; Code::closed. What is damaged or cannot be made is a problem of the result.
  Result<RestoreResult> run(const RestoreRequest& request);
  void cancel();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Writes a file's content to `out`, in order.
Status dump(BlobFetcher& fetcher, const repository::BlobId& root, const std::string& path,
            const std::function<Status(ByteView)>& out);

}  // namespace cb::client
