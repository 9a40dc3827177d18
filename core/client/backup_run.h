// SPDX-License-Identifier: Apache-2.0
//
// A whole backup: passes over the sources until one is committed, over as many connections as it
// takes. Runs once, on one thread; `cancel` is for any.
#pragma once

#include "core/client/backup_pass.h"

namespace cb::client {

class BackupRun {
 public:
  // Both outlive the run.
  BackupRun(const Backup::Parts& parts, const BackupRequest& request);
  ~BackupRun();

  Result<BackupResult> run();
  void cancel();

 private:
  // How a try ended, when it did not fail. Unmended: files have to be stored anew whose content
  // was damaged.
  enum class End { committed, missing, unmended };

  Status prepare();
  Status lock();
  bool can_cache(const Status& done);
  void note_idle_patterns();
  Result<BackupResult> files();
  Result<BackupResult> stream();
  Status connect();
  // The error, unless another connection may help.
  Status may_try_again(const Error& error, int barren);
  bool is_rotated(const Error& error);
  Result<End> attempt();
  Result<End> run_pass(BackupPass& pass, BlobLine& line);
  Result<End> finish(BackupPass& pass, BlobLine& line, const repository::BlobId& root);
  Result<End> send_commit(BlobLine& line, const SnapshotFacts& facts);
  Status finish_stream(BlobLine& line, const repository::BlobId& root);
  Result<repository::CommitAnswer> commit(const repository::CommitRequest& request);
  Status ask_ahead();
  Status open_caches(OldEntries& old);
  void open_index();
  std::unique_ptr<FineGrain> fine_grain();
  void close_index(FineGrain& fine, bool is_committed);
  void drop_index();
  void note_missing(const std::vector<repository::BlobId>& missing);
  Result<bool> take_over();
  Result<std::unique_ptr<repository::SessionSealer>> new_session();
  BlobLine::Parts line_parts(const repository::SessionSealer& sealer, FineGrain* fine) const;
  Status read_input(BlobLine& line, EntryQueue& queue);
  void count(const BlobLine& line);
  // Code::cancelled when it was.
  Status going() const;

  const Backup::Parts& parts_;
  const BackupRequest& request_;
  os::Tree* tree_;
  os::FileSystem* files_;
  os::AccountNames names_;
  Excludes excludes_;
  BackupReport report_;
  std::vector<std::string> paths_;  // of the snapshot
  CacheHeader header_;
  CacheFiles places_;
  std::unique_ptr<os::File> lock_;
  std::unique_ptr<FineIndex> index_;    // none: nothing leans on parts of other blobs
  bool index_is_doubtful_ = false;      // it may name what is not there
  bool index_is_spoilt_ = false;        // it is to be begun anew
  std::optional<Error> cache_trouble_;  // nothing can be written there
  std::shared_ptr<repository::Remote> remote_;
  uint32_t epoch_ = 0;  // that the last session was sealed for
  std::optional<CacheSummary> last_;
  std::shared_ptr<BegunFile> begun_;  // of the last pass that began one
  bool distrust_ = false;             // the cache named what is not there
  Mending mending_;
  BackupResult result_;

  mutable std::mutex mutex_;
  bool cancelled_ = false;      // guarded by mutex_
  BackupPass* pass_ = nullptr;  // running; guarded by mutex_
  BlobLine* line_ = nullptr;    // running; guarded by mutex_
};

}  // namespace cb::client
