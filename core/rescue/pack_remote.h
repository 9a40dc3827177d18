// SPDX-License-Identifier: Apache-2.0
//
// A repository that is only packs: what the client's engines read, without a server. Thread-safe;
// what would change something is Code::denied.
#pragma once

#include <map>
#include <mutex>

#include "core/repository/keys.h"
#include "core/repository/remote.h"
#include "core/rescue/hoard.h"

namespace cb::rescue {

class PackRemote final : public repository::Remote {
 public:
  struct Parts {
    const Hoard* hoard = nullptr;
    const FoundRepository* found = nullptr;
    repository::RepositoryId repository;
    // Tells copies that open from others, where there are several.
    repository::Opener* opener = nullptr;
    // Records of sessions, those of rotation too; the likeliest first.
    std::map<repository::SessionId, std::vector<Bytes>> sessions;
  };
  // All that the parts name outlives it.
  explicit PackRemote(Parts parts) : parts_(std::move(parts)) {}

  // Before the first use.
  void set_snapshots(std::vector<repository::SnapshotInfo> snapshots) {
    snapshots_ = std::move(snapshots);
  }

  Result<std::vector<bool>> have(std::span<const repository::BlobId> ids) override;
  Status get(std::span<const repository::BlobId> ids, const repository::CopyChoice& copy,
             const BlobSink& sink) override;
  Result<std::vector<repository::SnapshotInfo>> snapshots(bool with_trash) override;
  Result<repository::RepositoryRecord> record() override;
  Result<repository::RemoteCounts> counts() override;

  Result<uint64_t> put(repository::StoredBlob blob) override;
  [[nodiscard]] uint64_t durable_puts() const override { return 0; }
  Status flush() override;
  Result<repository::CommitAnswer> commit(const repository::CommitRequest& request) override;
  Result<repository::CommitRecord> forget(const repository::BlobId& snapshot) override;
  Result<repository::CommitRecord> undelete(const repository::BlobId& snapshot) override;
  Result<std::vector<repository::KeySlot>> slots() override;
  Status add_slot(const repository::KeySlot& slot) override;
  Status remove_slot(const repository::SlotId& slot) override;
  Result<repository::ChainPage> chain(uint64_t sequence) override;

 private:
  [[nodiscard]] std::span<const BlobCopy> copies_of(const repository::BlobId& id) const;
  [[nodiscard]] const Bytes* session_record(const repository::SessionId& session) const;
  [[nodiscard]] bool has_records(const repository::SessionId& session) const;
  [[nodiscard]] bool is_settled(const repository::SessionId& session) const;
  [[nodiscard]] bool opens(const repository::StoredBlob& blob) const;
  Result<repository::StoredBlob> read(const BlobCopy& copy) const;
  Result<repository::StoredBlob> best_of(const repository::BlobId& id) const;
  Result<repository::StoredBlob> session_blob(const repository::SessionId& session) const;

  Parts parts_;
  mutable std::mutex mutex_;
  // Records that opened a blob of their session; guarded by mutex_.
  mutable std::map<repository::SessionId, const Bytes*> proven_;
  std::vector<repository::SnapshotInfo> snapshots_;
};

}  // namespace cb::rescue
