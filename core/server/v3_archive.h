// SPDX-License-Identifier: Apache-2.0
//
// What v3 clients uploaded, in the repository engine: an upload is cut, named, sealed and stored as
// it comes, and becomes a snapshot of all of the client's files when it is confirmed
// (docs/protocol-v3.md). A V3Archive is thread-safe, a V3Deposit for one thread at a time;
// functions block.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/repository/cutter.h"
#include "core/repository/tree.h"
#include "core/server/v3_keys.h"

namespace cb::server {

class V3Archive;

struct V3DepositOptions {
  // When the file came, of its snapshot and version; nothing: when it is committed.
  std::optional<int64_t> date_ns;
};

// One upload on its way in. Nobody sees anything of it before commit.
class V3Deposit {
 public:
  V3Deposit(const V3Deposit&) = delete;
  V3Deposit& operator=(const V3Deposit&) = delete;
  ~V3Deposit();  // leaves nothing behind unless committed

  // Keeps at most one piece (128 KiB) in memory.
  Status write(ByteView plain);
  // Makes it the newest version of its file, durably; `cksum` is of all plain bytes. Code::busy
  // when something that it builds on was removed meanwhile. The deposit is spent.
  Status commit(uint32_t cksum);

 private:
  friend class V3Archive;
  V3Deposit(V3Archive& archive, const ClientId& client, std::string file_name,
            std::unique_ptr<V3Repository> repository, const V3DepositOptions& options);
  // Begins the session and the intake.
  Status begin();

  Status take(ByteView plain);
  Status finish_piece();
  Status store(const repository::StoredBlob& blob);
  Status seal_and_store(repository::BlobKind kind, const repository::BlobId& id,
                        std::span<const repository::BlobId> children, ByteView plain);
  Result<repository::BlobId> put(repository::BlobKind kind,
                                 std::span<const repository::BlobId> children, ByteView plain);
  Result<repository::BlobId> put_node(const repository::EncodedNode& node);

  struct Tree {
    repository::BlobId root;
    uint64_t files = 0;
    uint64_t bytes = 0;
  };
  // All files of the snapshot `base` (if there is one), with `entry` in its place.
  Result<Tree> build_tree(const std::optional<catalog::LegacyVersion>& base,
                          const repository::Entry& entry);
  Result<repository::CommitRecord> commit_snapshot(const Tree& tree,
                                                   const repository::SnapshotRecord& record);
  [[nodiscard]] Status check_not_migrated() const;
  Status commit_locked(uint32_t cksum);

  V3Archive& archive_;
  ClientId client_;
  std::string file_name_;
  V3DepositOptions options_;
  std::unique_ptr<V3Repository> repository_;
  std::unique_ptr<repository::SessionSealer> sealer_;
  std::unique_ptr<repository::Intake> intake_;
  repository::Cutter cutter_;
  repository::StreamCutter cuts_;
  repository::ExtentBuilder extents_;
  Bytes piece_;          // with headroom before it
  uint64_t size_ = 0;    // plain bytes
  uint64_t stored_ = 0;  // bytes that were given to the engine
  uint64_t open_ = 0;    // those of them since the last flush
  bool spent_ = false;   // committed, or broken
  bool committed_ = false;
};

class V3Archive {
 public:
  // All outlive the archive and its deposits.
  explicit V3Archive(const V3Keys::Parts& parts) : parts_(parts), keys_(parts) {}

  // Begins an upload of a known client. `file_name` is one that may stand in a snapshot.
  Result<std::unique_ptr<V3Deposit>> begin(const ClientId& client, const std::string& file_name,
                                           const V3DepositOptions& options = {});

  // Forgets snapshots that a crash left without their version: they were committed, and no client
  // was told so. Before the first upload. Returns how many.
  Result<uint64_t> forget_unnamed();

  // Gives the plain bytes of a version, in order, to `sink`. Code::corrupt or auth when what is
  // stored is damaged, Code::denied for one that has an owner now.
  Status read(const catalog::LegacyVersion& version, const std::function<Status(ByteView)>& sink);

  [[nodiscard]] const V3Keys& keys() const { return keys_; }

 private:
  friend class V3Deposit;
  Result<uint64_t> forget_unnamed(const ClientId& client);
  // A snapshot builds on the one before: uploads of one client commit one after the other.
  std::mutex& lock_of(const ClientId& client);

  V3Keys::Parts parts_;
  V3Keys keys_;
  std::array<std::mutex, 16> locks_;
};

}  // namespace cb::server
