// SPDX-License-Identifier: Apache-2.0
//
// One backup of a source in the simulated year, as a client does it: cuts, names, asks, sends what
// is lacking, builds the real tree, commits, and sends again what the commit misses. Sealing is
// played by a mask that follows from the session, so that a blob with another session's record does
// not open. Used by one thread.
#pragma once

#include <memory>
#include <set>

#include "tests/year/year_house.h"
#include "tests/year/year_source.h"

namespace cb::year {

// A snapshot that was acknowledged, and all that must come back of it.
struct Snapshot {
  repository::BlobId id, root;
  size_t source = 0;
  int64_t time_ns = 0;  // by the server's record
  uint64_t sequence = 0;
  bool is_checkpoint = false;
  bool is_tagged = false;
  bool is_pinned = false;
  Files files;
};

// Turns plain bytes into sealed ones, and back.
void mask(const repository::SessionId& session, Bytes& bytes);
// The tag that some rules keep.
repository::KeyedHash kept_tag();

struct BackupOptions {
  bool is_checkpoint = false;
  bool is_tagged = false;
};

class Backup {
 public:
  // What the source holds now; the repository's id is of its account.
  Backup(House& house, const repository::RepositoryId& repository, Source& source,
         const BackupOptions& options);

  // Where it began and how it went on may be far apart. Errors are what a client would be told.
  Status begin();
  Status send_half();
  Status finish();
  Status run();

  // What it is to be; its time and sequence are there when it was acknowledged.
  [[nodiscard]] const Snapshot& snapshot() const { return snapshot_; }

 private:
  void add(repository::BlobKind kind, const repository::BlobId& id, Bytes plain,
           std::vector<repository::BlobId> children);
  void add_session();
  repository::Entry entry_of(const std::string& path, const std::vector<uint64_t>& pieces);
  void add_tree();
  void add_snapshot();
  Status send(size_t from, size_t until);

  House& house_;
  repository::RepositoryId repository_;
  const Source& source_;
  BackupOptions options_;
  repository::SessionId session_;
  std::vector<repository::StoredBlob> blobs_;  // the session's record first, the snapshot last
  std::set<repository::BlobId> added_;
  repository::CommitRequest request_;
  Snapshot snapshot_;
  std::unique_ptr<repository::Intake> intake_;
};

}  // namespace cb::year
