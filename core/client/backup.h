// SPDX-License-Identifier: Apache-2.0
//
// The backup engine: scans sources, cuts, names, seals and sends what is new, builds the tree and
// commits a snapshot (docs/architecture.md, "A v4 backup"). One Backup runs once, on the calling
// thread and threads of its own; `cancel` is for any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/client/receipt_book.h"
#include "core/os/clock.h"
#include "core/os/file_system.h"
#include "core/os/random.h"
#include "core/os/tree.h"
#include "core/report/progress.h"
#include "core/repository/keys.h"
#include "core/repository/remote.h"

namespace cb::client {

enum class Verify { all, sample, off };  // opening again what was sealed, before it is sent

struct BackupRequest {
  std::vector<std::string> paths;     // absolute, of files and folders; empty with `input`
  std::vector<std::string> excludes;  // gitignore syntax
  std::vector<std::string> tags;
  bool exclude_caches = false;  // folders with a CACHEDIR.TAG
  bool one_file_system = false;
  bool dry_run = false;
  bool read_all = false;  // do not trust the cache
  Verify verify = Verify::sample;
  std::function<Result<size_t>(ByteSpan)> input;  // a stream instead of files, as `input_name`
  std::string input_name;
  std::string host;
  std::string user;
  std::string program;
  std::chrono::nanoseconds checkpoint_every = std::chrono::minutes(5);
  unsigned threads = 0;  // 0: as many as cores
};

struct BackupCounts {
  uint64_t files = 0, folders = 0, others = 0;
  uint64_t bytes = 0;            // of all files
  uint64_t files_unchanged = 0;  // not read
  uint64_t files_changed = 0;    // while they were read
  uint64_t bytes_read = 0;
  uint64_t blobs_new = 0;
  uint64_t bytes_sent = 0;  // sealed; in a dry run what would be sealed
  uint64_t blobs_known = 0;
};

struct Unreadable {
  std::string path;
  Error error;
};

struct BackupResult {
  repository::BlobId snapshot;  // zero in a dry run
  repository::CommitRecord commit;
  Bytes receipt;  // the same, encoded
  BackupCounts counts;
  std::vector<Unreadable> unreadable;  // the first 1,000
  uint64_t unreadable_count = 0;
  std::vector<std::string> notes;  // files that changed or vanished meanwhile; the first 1,000
};

class Backup {
 public:
  // All outlive the Backup.
  struct Parts {
    repository::Suite suite;
    const repository::WriteKeys* keys = nullptr;
    const repository::RepositoryRecord* record = nullptr;
    repository::DeviceId device;
    repository::SessionSealer::Sign sign;
    repository::SigningPublic device_key{};  // what `sign` signs with; zero: no signature is known
    // A connection that is logged in; called again after Code::closed, until it fails.
    std::function<Result<std::shared_ptr<repository::Remote>>()> connect;
    os::Path cache_folder;            // of this profile; may be deleted between runs
    os::Tree* tree = nullptr;         // the sources; none: the system's
    os::FileSystem* files = nullptr;  // the cache; none: the system's
    const os::Clock* clock = nullptr;
    os::Random* random = nullptr;
    std::function<void(const report::Progress&)> progress;  // may be empty
    // The newest commit that this device knows (Receipts::newest); may be empty.
    std::function<Result<ChainPlace>()> head;
  };
  explicit Backup(Parts parts);
  ~Backup();

  // Code::cancelled after cancel(); what was durable stays and the next run uses it.
  Result<BackupResult> run(const BackupRequest& request);
  void cancel();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cb::client
