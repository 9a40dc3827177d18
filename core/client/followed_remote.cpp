// SPDX-License-Identifier: Apache-2.0
#include "core/client/followed_remote.h"

namespace cb::client {
namespace {

using repository::BlobId;
using repository::CommitRecord;
using repository::SnapshotInfo;

constexpr int kMostTries = 10;  // while others commit

class FollowedRemote final : public repository::Remote {
 public:
  FollowedRemote(std::shared_ptr<repository::Remote> remote, Receipts& receipts,
                 std::function<Status()> follow)
      : remote_(std::move(remote)), receipts_(receipts), follow_(std::move(follow)) {}

  Result<std::vector<SnapshotInfo>> snapshots(bool with_trash) override;

  Result<std::vector<bool>> have(std::span<const BlobId> ids) override {
    return remote_->have(ids);
  }
  Result<uint64_t> put(repository::StoredBlob blob) override {
    return remote_->put(std::move(blob));
  }
  [[nodiscard]] uint64_t durable_puts() const override { return remote_->durable_puts(); }
  Status flush() override { return remote_->flush(); }
  Result<repository::CommitAnswer> commit(const repository::CommitRequest& request) override {
    return remote_->commit(request);
  }
  Status get(std::span<const BlobId> ids, const repository::CopyChoice& copy,
             const BlobSink& sink) override {
    return remote_->get(ids, copy, sink);
  }
  Result<CommitRecord> forget(const BlobId& snapshot) override { return remote_->forget(snapshot); }
  Result<CommitRecord> undelete(const BlobId& snapshot) override {
    return remote_->undelete(snapshot);
  }
  Result<repository::RepositoryRecord> record() override { return remote_->record(); }
  Result<std::vector<repository::KeySlot>> slots() override { return remote_->slots(); }
  Status add_slot(const repository::KeySlot& slot) override { return remote_->add_slot(slot); }
  Status remove_slot(const repository::SlotId& slot) override { return remote_->remove_slot(slot); }
  Result<repository::RemoteCounts> counts() override { return remote_->counts(); }
  Result<repository::ChainPage> chain(uint64_t sequence) override {
    return remote_->chain(sequence);
  }
  Result<repository::WantedPage> wanted(const repository::BlobId& after) override {
    return remote_->wanted(after);
  }
  Result<repository::SignaturePage> signatures(uint64_t before) override {
    return remote_->signatures(before);
  }

 private:
  const std::shared_ptr<repository::Remote> remote_;
  Receipts& receipts_;
  const std::function<Status()> follow_;
};

// Other devices may commit between the chain and the list: then the chain has something new.
Result<std::vector<SnapshotInfo>> FollowedRemote::snapshots(bool with_trash) {
  for (int tries = 1;; ++tries) {
    CB_ASSIGN(const ChainPlace before, receipts_.head());
    CB_ASSIGN(auto list, remote_->snapshots(with_trash));
    Status judged = receipts_.judge(list, with_trash);
    if (judged) return list;
    CB_TRY(follow_());
    CB_ASSIGN(const ChainPlace after, receipts_.head());
    if (after == before || tries == kMostTries) return failed(judged.error());
  }
}

}  // namespace

std::shared_ptr<repository::Remote> make_followed_remote(std::shared_ptr<repository::Remote> remote,
                                                         Receipts& receipts,
                                                         std::function<Status()> follow) {
  return std::make_shared<FollowedRemote>(std::move(remote), receipts, std::move(follow));
}

}  // namespace cb::client
