// SPDX-License-Identifier: Apache-2.0
//
// A repository as the backup and restore engines see it, over the network (core/client) or in this
// process. Functions block and may be called by several threads. After Code::closed the connection
// is gone: begin again with a new Remote; what was durable stays.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/repository/blob.h"
#include "core/repository/records.h"
#include "core/repository/verification.h"

namespace cb::repository {

// What a client says of the files of a backup beside those of the one before. Nobody can check it.
struct ChangeReport {
  uint64_t unchanged = 0, changed = 0, added = 0, removed = 0;  // files
  uint64_t renamed = 0;       // of those added: a file that is gone, with another ending
  uint64_t plain_bytes = 0;   // of blobs that were new
  uint64_t stored_bytes = 0;  // of the same, compressed and sealed

  bool operator==(const ChangeReport&) const = default;
};

struct CommitRequest {
  CommitId commit_id;  // drawn by the client
  BlobId snapshot;
  BlobId root;
  Signature device_signature{};
  KeyedHash source;
  std::vector<KeyedHash> tags;
  uint64_t flags = 0;  // kSnapshot*
  uint64_t files = 0;
  uint64_t bytes = 0;
  std::optional<ChangeReport> report;  // beside one before it, of a client that keeps a cache
  // When the backup was made, if a server brings in an old one; 0: now. No message carries it.
  int64_t made_ns = 0;
};

struct CommitAnswer {
  std::vector<BlobId> missing;  // not empty: nothing was committed; the first 4,096 at most
  Bytes receipt;                // the commit record
};

// Where a snapshot is, when the server has a copy of the repository (docs/replication.md).
enum class Presence : uint8_t {
  here = 0,
  kept = 1,    // forgotten or removed from the repository, and kept in this copy
  absent = 2,  // in the repository, and not in this copy
};

struct SnapshotInfo {
  CommitRecord commit;
  bool in_trash = false;
  Presence presence = Presence::here;
};

// Which copy of a blob is meant: several devices may have put one id, and not all of them honestly.
struct CopyChoice {
  DeviceId device;     // of the snapshot that is read; zero: this device
  bool exact = false;  // what this device put, or nothing
};

struct ChainPage {
  std::vector<Bytes> commits;  // records, as they were signed
  bool last = false;
};

// Signatures and recipes, the newest first.
struct SignaturePage {
  std::vector<BlobId> ids;  // 4,096 at most
  uint64_t next = 0;        // what to ask with for those that follow
  bool last = false;
};

struct RemoteCounts {
  uint64_t blobs = 0, packs = 0, stored_bytes = 0, snapshots = 0;
};

class Remote {
 public:
  virtual ~Remote() = default;

  // One answer for each id: durable, or on its way in this session or in another of the same
  // account. In the last case it may get lost yet: the commit tells.
  virtual Result<std::vector<bool>> have(std::span<const BlobId> ids) = 0;

  // Hands a blob over; waits while too much is under way. It is durable once durable_puts() has
  // reached the number that this returns (1 for the first of this Remote).
  virtual Result<uint64_t> put(StoredBlob blob) = 0;
  // How many puts, from the first on, are durable.
  [[nodiscard]] virtual uint64_t durable_puts() const = 0;
  // Makes everything put so far durable, and waits for it; for a blob that another session was
  // bringing, too, only so long: durable_puts() tells.
  virtual Status flush() = 0;

  // Flushes and commits. Repeating it with the same commit_id is harmless.
  virtual Result<CommitAnswer> commit(const CommitRequest& request) = 0;

  // Calls `sink` once for each id, in any order, one call at a time. An id that is not there is
  // Code::not_found at the end, after all others came. At most 4,096 ids.
  using BlobSink = std::function<Status(StoredBlob)>;
  virtual Status get(std::span<const BlobId> ids, const CopyChoice& copy, const BlobSink& sink) = 0;
  Status get(std::span<const BlobId> ids, const BlobSink& sink) { return get(ids, {}, sink); }

  // Newest last; with those in the trash when asked for.
  virtual Result<std::vector<SnapshotInfo>> snapshots(bool with_trash) = 0;
  // A wish that the server's policy decides: a forget or undelete record comes back.
  virtual Result<CommitRecord> forget(const BlobId& snapshot) = 0;
  virtual Result<CommitRecord> undelete(const BlobId& snapshot) = 0;

  virtual Result<RepositoryRecord> record() = 0;
  virtual Result<std::vector<KeySlot>> slots() = 0;
  virtual Status add_slot(const KeySlot& slot) = 0;
  // Code::denied for the last one.
  virtual Status remove_slot(const SlotId& slot) = 0;
  virtual Result<RemoteCounts> counts() = 0;

  // The chain of commits from `sequence` on; a page is what fits one answer.
  virtual Result<ChainPage> chain(uint64_t sequence) = 0;

  // Blobs that were found damaged and that this device lacks, past the id `after`; one that it can
  // make again it puts again.
  virtual Result<WantedPage> wanted(const BlobId& after) {
    static_cast<void>(after);
    return WantedPage{{}, true};
  }

  // Signatures and recipes that this device may use: what it put itself, if it does not share
  // deduplication, and what owners put (docs/protocol-v4.md). From the newest with 0, then on with
  // `next`. One may be gone, or damaged, when it is asked for with get(); whether the blobs that it
  // describes are there have() tells. A server that knows none gives an empty last page.
  virtual Result<SignaturePage> signatures(uint64_t before) {
    static_cast<void>(before);
    return SignaturePage{{}, 0, true};
  }
};

}  // namespace cb::repository
