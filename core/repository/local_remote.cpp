// SPDX-License-Identifier: Apache-2.0
//
// See local_remote.h.
#include "core/repository/local_remote.h"

#include <mutex>
#include <unordered_set>

namespace cb::repository {
namespace {

constexpr size_t kMostIds = 4096;
constexpr size_t kMostCommits = 256;
constexpr std::chrono::seconds kPatience{2};  // with others who bring the same blobs

class LocalRemote final : public Remote {
 public:
  LocalRemote(Engine& engine, const RepositoryId& repository, const Viewer& viewer,
              std::unique_ptr<Intake> intake)
      : engine_(engine), repository_(repository), viewer_(viewer), intake_(std::move(intake)) {}

  Result<std::vector<bool>> have(std::span<const BlobId> ids) override {
    const std::lock_guard lock(mutex_);
    return intake_->have(ids);
  }

  Result<uint64_t> put(StoredBlob blob) override {
    const std::lock_guard lock(mutex_);
    if (blob.head.stored_size != blob.stored.size())
      return failed(Code::invalid, "blob " + blob.head.id.hex(), "is not as long as it says");
    CB_TRY(intake_->begin(blob.head));
    CB_TRY(intake_->content(blob.stored));
    CB_TRY(intake_->end());
    CB_TRY(intake_->close_old());
    return ++puts_;
  }

  [[nodiscard]] uint64_t durable_puts() const override { return intake_->durable(); }

  Status flush() override {
    const std::lock_guard lock(mutex_);
    CB_TRY(intake_->flush());
    intake_->settle(kPatience);
    return {};
  }

  Result<CommitAnswer> commit(const CommitRequest& request) override {
    const std::lock_guard lock(mutex_);
    CB_TRY(intake_->flush());
    intake_->settle(kPatience);
    return intake_->commit(request);
  }

  Status get(std::span<const BlobId> ids, const CopyChoice& copy, const BlobSink& sink) override;

  Result<std::vector<SnapshotInfo>> snapshots(bool with_trash) override {
    return engine_.snapshots(repository_, with_trash);
  }
  Result<CommitRecord> forget(const BlobId& snapshot) override {
    return engine_.forget(repository_, snapshot, viewer_.device);
  }
  Result<CommitRecord> undelete(const BlobId& snapshot) override {
    return engine_.undelete(repository_, snapshot, viewer_.device);
  }
  Result<RepositoryRecord> record() override { return engine_.record(repository_); }
  Result<std::vector<KeySlot>> slots() override { return engine_.slots(repository_); }
  Status add_slot(const KeySlot& slot) override { return engine_.add_slot(repository_, slot); }
  Status remove_slot(const SlotId& slot) override { return engine_.remove_slot(repository_, slot); }
  Result<RemoteCounts> counts() override { return engine_.counts(repository_); }
  Result<ChainPage> chain(uint64_t sequence) override {
    CB_ASSIGN(auto commits, engine_.commits(repository_, sequence, kMostCommits));
    const bool last = commits.size() < kMostCommits;
    return ChainPage{std::move(commits), last};
  }
  Result<WantedPage> wanted(const BlobId& after) override {
    return engine_.wanted(repository_, viewer_, after, kMostCommits);
  }
  Result<SignaturePage> signatures(uint64_t before) override {
    return engine_.signatures(repository_, viewer_, before, kMostIds);
  }

 private:
  Result<Viewer> viewer_of(const DeviceId& device) {
    if (device.is_zero() || device == viewer_.device) return viewer_;
    return engine_.viewer(device);
  }

  Engine& engine_;
  RepositoryId repository_;
  Viewer viewer_;
  std::mutex mutex_;
  std::unique_ptr<Intake> intake_;  // guarded by mutex_, but for durable()
  uint64_t puts_ = 0;               // guarded by mutex_
};

Status LocalRemote::get(std::span<const BlobId> ids, const CopyChoice& copy, const BlobSink& sink) {
  if (ids.size() > kMostIds)
    return failed(Code::limit, "get", "asks for more than 4,096 blobs at once");
  std::unordered_set<BlobId, IdHash> wanted(ids.begin(), ids.end());
  StoredBlob blob;
  Engine::Reader reader;
  const auto content = [&](ByteView part) -> Status {
    blob.stored.insert(blob.stored.end(), part.begin(), part.end());
    return {};
  };
  // A blob is whole, and its checksum was right, when the next begins or the reading ends well.
  const auto hand_over = [&]() -> Status {
    if (blob.head.id.is_zero()) return {};
    wanted.erase(blob.head.id);
    return sink(std::exchange(blob, {}));
  };
  reader.content = content;
  reader.head = [&](const BlobHead& head) -> Status {
    CB_TRY(hand_over());
    blob.head = head;
    blob.stored.reserve(head.stored_size);
    return {};
  };
  CB_ASSIGN(const Viewer whose, viewer_of(copy.device));
  CB_TRY(engine_.read(repository_, whose, copy.exact, ids, reader));
  CB_TRY(hand_over());
  if (wanted.empty()) return {};
  return failed(Code::not_found, "blob " + wanted.begin()->hex(), "is not in the repository");
}

}  // namespace

Result<std::unique_ptr<Remote>> make_local_remote(Engine& engine, const RepositoryId& repository,
                                                  const Viewer& viewer) {
  CB_ASSIGN(auto intake, engine.begin(repository, viewer, false));
  return std::make_unique<LocalRemote>(engine, repository, viewer, std::move(intake));
}

Result<std::unique_ptr<Remote>> make_local_remote(Engine& engine, const RepositoryId& repository,
                                                  const DeviceId& device) {
  return make_local_remote(engine, repository, Viewer{device});
}

}  // namespace cb::repository
