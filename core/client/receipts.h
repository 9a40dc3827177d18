// SPDX-License-Identifier: Apache-2.0
//
// A device's memory of its account's history, in <profile>/chain, history and receipt: follows the
// server's chain of commits, and refuses a server that went back, tells another story than before,
// or lists other snapshots than its chain has (docs/trust.md, "Receipts"). For any thread; several
// processes may use one profile. Refusals are Code::denied.
#pragma once

#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "core/client/receipt_book.h"
#include "core/os/file_system.h"
#include "core/repository/remote.h"

namespace cb::client {

// What a server shows of itself.
struct ServerView {
  repository::SigningPublic key{};  // signs commits
  std::optional<ChainPlace> head;   // what the login said is the newest; none: not said
  const repository::RepositoryRecord* record = nullptr;  // verified
  std::function<Result<repository::ChainPage>(uint64_t)> chain;
  std::function<Result<std::vector<repository::Certificate>>()> devices;
};

// What taking a server's word meant.
struct Takeover {
  ChainPlace before, after;
  bool other_server = false;             // it signs with another key now
  std::vector<repository::BlobId> lost;  // snapshots that lived and are not in its history
};

// A history that is longer is refused (Code::limit): a server could make one up without end. It
// takes 32 bytes of memory for each commit, once, when it is read from its beginning.
constexpr uint64_t kMostCommits = uint64_t{1} << 24;

struct ReceiptsOptions {
  // Hears, each time, why something could not be written: this process alone knows it then, and
  // goes on. Must not call back; may be empty.
  std::function<void(const Error&)> unsaved = {};
  uint64_t most_commits = kMostCommits;
};

// Is it what `accept` is for: a server that is refused, or a profile that is damaged or of a newer
// program? A connection that broke and a disk that failed are not.
bool calls_for_acceptance(const Error& error);

class Receipts {
 public:
  // `folder` is the profile's; `files` outlives this.
  Receipts(os::FileSystem& files, os::Path folder, const repository::RepositoryId& repository,
           ReceiptsOptions options = {})
      : files_(files),
        folder_(std::move(folder)),
        repository_(repository),
        options_(std::move(options)) {}

  // An enrolment: this key signs. What is known of this repository stays; Code::denied when another
  // key is.
  Status begin(const repository::SigningPublic& server);

  // Fetches and verifies what is new since the last time; asks nothing when nothing is. The first
  // server that is followed is remembered by its key.
  Status follow(const ServerView& server);
  // After a documented restore of the server: verifies its whole chain, but for signatures of a
  // server key that may be lost, and takes it in the place of what is known. Errors of the disk are
  // those of reading: what is damaged is replaced, what cannot be read is not.
  Result<Takeover> accept(const ServerView& server);

  // Keeps a commit record that the server signed just now; it is looked for in the chain next time.
  Status keep(ByteView receipt);

  // The newest commit known: of the chain, or a kept receipt's.
  Result<ChainPlace> newest();
  // As far as the chain was followed.
  Result<ChainPlace> head();
  Result<ReceiptBook> book();
  // The certificates that the history leads to; of the book.
  Result<std::map<repository::DeviceId, repository::Certificate>> devices();
  // Of the followed chain; nothing past its end.
  Result<std::optional<repository::CommitHash>> hash_at(uint64_t sequence);

  // Is this the list of snapshots that the followed chain leads to, the newest at its end?
  Status judge(std::span<const repository::SnapshotInfo> list, bool with_trash);
  // Did the server tell the device of this snapshot the same story as this one?
  Status judge_head(const repository::SnapshotRecord& snapshot,
                    const repository::CommitRecord& commit);

 private:
  struct Reread {
    ReceiptBook book;
    std::vector<repository::CommitHash> hashes;  // of the records that were added
    std::vector<repository::BlobId> removed;     // by them
  };
  [[nodiscard]] ChainPlace newest_known() const;
  Status load();
  Result<ChainPlace> receipt_on_disk() const;
  Status read_on(Reread& to, const ServerView& server, const ChainJudge& judge,
                 std::span<const ChainPlace> known) const;
  [[nodiscard]] Status check_login(const ChainPlace& head) const;
  Status follow_on(const ServerView& server);
  Status save(Reread fresh, bool whatever_is_there);
  Status write(const Reread& fresh, const ReceiptBook& there, os::File& history);
  Status save_receipt(const ChainPlace& place, ByteView receipt);
  Status remove(const char* name);
  Status start_files(const repository::SigningPublic& server);
  Result<std::unique_ptr<os::File>> lock_history() const;
  [[nodiscard]] ReceiptBook book_on_disk() const;
  Status check_others(const Reread& fresh, const ReceiptBook& there, os::File* history);
  Result<std::unique_ptr<os::File>> open_history() const;
  Result<std::optional<repository::CommitHash>> hash_in(os::File* history, uint64_t sequence) const;
  Status judge_one(const repository::SnapshotInfo& info, os::File* history) const;
  Status judge_kept(const repository::SnapshotInfo& info, os::File* history) const;

  os::FileSystem& files_;
  const os::Path folder_;
  const repository::RepositoryId repository_;
  const ReceiptsOptions options_;
  std::mutex mutex_;  // guards all below
  bool loaded_ = false;
  bool has_server_ = false;       // book_.server is known
  bool history_is_whole_ = true;  // else it is read again from the first record
  ReceiptBook book_;
  std::vector<repository::CommitHash> unsaved_;  // the book's last ones, which no file has
  bool replaces_files_ = false;  // what was accepted is not written yet: the files do not count
  ChainPlace receipt_;           // the kept one; sequence 0: none
};

}  // namespace cb::client
