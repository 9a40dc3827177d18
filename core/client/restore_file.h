// SPDX-License-Identifier: Apache-2.0
//
// A file that a restore is writing: its pieces come in any order from several threads; when all
// that were planned have come it gets its metadata and its name. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/client/safe_target.h"

namespace cb::client {

class RestoreFile {
 public:
  // What all files of a restore share; outlives them.
  struct Host {
    SafeTarget* target = nullptr;
    const repository::WriteKeys* keys = nullptr;
    bool verify = false;
    bool resume = false;
    // For any thread: the file stands in its place; it could not be restored; bytes came.
    std::function<void(const RestoreFile&)> restored;
    std::function<void(const RestoreFile&, const Error&)> failed;
    std::function<void(uint64_t)> wrote;
  };
  // `entry.path` is below the target, `source_path` the one in the snapshot.
  RestoreFile(const Host& host, repository::Entry entry, std::string source_path);
  ~RestoreFile();

  [[nodiscard]] const repository::Entry& entry() const { return entry_; }
  [[nodiscard]] const std::string& source_path() const { return source_path_; }
  [[nodiscard]] bool lost() const { return lost_; }

  // The planner's, before the piece can come. All return errors only that stop the restore.
  void expect_piece() { ++open_pieces_; }
  // Is this stretch there from an interrupted restore? Then it needs no piece.
  bool has_already(uint64_t offset, const repository::Extent& extent);
  // No more pieces are expected.
  Status planned() { return piece_ended(); }

  // Each ends one expected piece.
  Status write_piece(uint64_t offset, ByteView bytes);
  Status lose_piece(const Error& error);

  // Something that is no piece went wrong: the extents cannot be read.
  void lose(const Error& error);
  // The restore ends early: what was written of a large file stays for one that resumes.
  void keep_for_later();

 private:
  struct Written {
    uint64_t offset = 0;
    uint64_t length = 0;
    repository::BlobId id;
  };
  Status begin();
  bool is_resumed();
  [[nodiscard]] bool is_content(ByteView bytes, const repository::BlobId& blob) const;
  Status try_write(uint64_t offset, ByteView bytes);
  Status remember(uint64_t offset, ByteView bytes);
  Status piece_ended();
  Status complete();
  Status read_back();

  const Host& host_;
  const repository::Entry entry_;
  const std::string source_path_;
  std::atomic<uint64_t> open_pieces_{1};  // and one for the planner
  std::atomic<bool> lost_{false};
  std::mutex mutex_;
  std::unique_ptr<TargetFile> file_;  // guarded by mutex_ until it is made
  std::optional<Error> error_;        // the first; guarded by mutex_
  std::vector<Written> written_;      // with `verify`; guarded by mutex_
};

// Does it end the whole restore, whichever file it came from?
bool stops_restore(const Error& error);

}  // namespace cb::client
