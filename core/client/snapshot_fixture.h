// SPDX-License-Identifier: Apache-2.0
//
// For tests: snapshots made by hand, really sealed, in a remote that is a map and fails on command.
// The remote is thread-safe, the rest is used by one thread.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "core/client/restore.h"
#include "core/identity/signing.h"
#include "core/repository/signatures.h"
#include "core/repository/suite_fixture.h"
#include "core/repository/tree.h"

namespace cb::client {

class MapRemote final : public repository::Remote {
 public:
  using BlobId = repository::BlobId;

  Result<std::vector<bool>> have(std::span<const BlobId> ids) override {
    const std::lock_guard lock(mutex);
    std::vector<bool> answer;
    for (const BlobId& id : ids) answer.push_back(blobs.contains(id));
    return answer;
  }
  Result<uint64_t> put(repository::StoredBlob blob) override {
    const std::lock_guard lock(mutex);
    blobs[blob.head.id] = std::move(blob);
    return blobs.size();
  }
  [[nodiscard]] uint64_t durable_puts() const override { return blobs.size(); }
  Status flush() override { return {}; }
  Result<repository::CommitAnswer> commit(const repository::CommitRequest&) override {
    return unexpected();
  }

  // The copy that a server would give: another's counts only where it was put for that device, or
  // is all that there is.
  std::optional<repository::StoredBlob> find(const BlobId& id,
                                             const repository::CopyChoice& copy) const {
    const auto owned = copies.find(copy.device);
    if (owned != copies.end() && owned->second.contains(id)) return owned->second.at(id);
    if (!copy.exact && blobs.contains(id)) return blobs.at(id);
    for (const auto& [device, put] : copies)
      if (!copy.exact && put.contains(id)) return put.at(id);
    return std::nullopt;
  }

  Status get(std::span<const BlobId> ids, const repository::CopyChoice& copy,
             const BlobSink& sink) override {
    ++requests;
    if (on_get) on_get();
    std::vector<repository::StoredBlob> found;
    std::optional<Error> failure;
    for (const BlobId& id : ids) {
      const std::lock_guard lock(mutex);
      asked.push_back(id);
      if (gets_until_closed > 0 && --gets_until_closed == 0) is_closed = true;
      if (is_closed) {
        failure = fail(Code::closed, "connection", "was cut");
        break;
      }
      if (unreadable.contains(id) || unreadable_once.erase(id) > 0) {
        failure = fail(Code::corrupt, "pack", "has a wrong checksum");
        break;
      }
      if (auto at = find(id, copy))
        found.push_back(std::move(*at));
      else
        failure = fail(Code::not_found, "blob", "is not there");
    }
    for (repository::StoredBlob& blob : found) CB_TRY(sink(std::move(blob)));
    if (failure) return failed(*failure);
    return {};
  }

  Result<std::vector<repository::SnapshotInfo>> snapshots(bool) override { return list; }
  Result<repository::CommitRecord> forget(const BlobId&) override { return unexpected(); }
  Result<repository::CommitRecord> undelete(const BlobId&) override { return unexpected(); }
  Result<repository::RepositoryRecord> record() override { return unexpected(); }
  Result<std::vector<repository::KeySlot>> slots() override { return unexpected(); }
  Status add_slot(const repository::KeySlot&) override { return unexpected(); }
  Status remove_slot(const repository::SlotId&) override { return unexpected(); }
  Result<repository::RemoteCounts> counts() override { return unexpected(); }
  Result<repository::ChainPage> chain(uint64_t) override { return unexpected(); }

  std::mutex mutex;
  std::map<BlobId, repository::StoredBlob> blobs;
  std::map<repository::DeviceId, std::map<BlobId, repository::StoredBlob>> copies;  // of devices
  std::set<BlobId> unreadable;
  std::multiset<BlobId> unreadable_once;
  std::vector<BlobId> asked;
  std::vector<repository::SnapshotInfo> list;
  std::atomic<uint64_t> requests{0};
  uint64_t gets_until_closed = 0;  // 0: never
  bool is_closed = false;
  std::function<void()> on_get;

 private:
  static tl::unexpected<Error> unexpected() {
    return failed(Code::internal, "remote", "is not asked for this");
  }
};

class SnapshotFixture : public repository::SuiteFixture {
 protected:
  using BlobId = repository::BlobId;
  using BlobKind = repository::BlobKind;
  using Entry = repository::Entry;
  using EntryKind = repository::EntryKind;
  using Extent = repository::Extent;

  SnapshotFixture()
      : device_(must(identity::SigningKey::make(*random_))),
        repository_(fresh_repository()),
        write_(must(repository::WriteKeys::make(*crypto_, repository_.record.id,
                                                repository_.keyring.write_key.view()))),
        remote_(std::make_shared<MapRemote>()) {
    new_session();
    forget_keys();
  }

  // What comes from now on is sealed under another session.
  void new_session() {
    sealer_ = repository::must(repository::SessionSealer::begin(
        suite(), repository_.record,
        repository::must(repository::draw_id<repository::SessionId>(*random_)), device_id(),
        [this](ByteView bytes) { return device_.sign(bytes); }));
    EXPECT_TRUE(remote_->put(sealer_->record()));
  }

  // A fetcher that knows nothing yet, over a connection that is open again.
  void forget_keys(BlobFetcher::Connect reconnect = {}, BlobFetcher::Devices devices = {}) {
    fetcher_.reset();
    opener_ = repository::must(
        repository::Opener::make(suite(), repository_.record.id, repository_.keyring));
    fetcher_ =
        std::make_unique<BlobFetcher>(remote_, *opener_, std::move(reconnect), std::move(devices));
    remote_->asked.clear();
    remote_->requests = 0;
    remote_->is_closed = false;
  }

  [[nodiscard]] repository::DeviceId device_id() const {
    return repository::device_of(device_.public_key());
  }

  BlobId put(BlobKind kind, const std::vector<BlobId>& children, ByteView plain) {
    const BlobId id = repository::must(write_.id_of(kind, children, plain));
    if (remote_->blobs.contains(id)) return id;
    EXPECT_TRUE(remote_->put(repository::must(sealer_->seal(kind, id, children, plain, false))));
    return id;
  }

  repository::NodeSink sink() {
    return [this](const repository::EncodedNode& node) -> Result<BlobId> {
      return put(BlobKind::node, node.children, node.plain);
    };
  }

  Extent data(ByteView plain) { return {plain.size(), false, put(BlobKind::data, {}, plain), 0}; }
  static Extent hole(uint64_t length) { return {length, true, {}, 0}; }

  static Entry entry(const std::string& path, EntryKind kind, uint32_t mode) {
    Entry made;
    made.path = path;
    made.kind = kind;
    made.mode = mode;
    made.uid = 0;
    made.mtime_ns = 1'600'000'000'123'456'789;
    return made;
  }
  static Entry folder(const std::string& path, uint32_t mode = 0755) {
    return entry(path, EntryKind::folder, mode);
  }
  static Entry symlink(const std::string& path, const std::string& target) {
    Entry made = entry(path, EntryKind::symlink, 0777);
    made.target = target;
    return made;
  }
  Entry file(const std::string& path, const std::vector<Extent>& extents, uint32_t mode = 0644) {
    Entry made = entry(path, EntryKind::file, mode);
    repository::ExtentBuilder builder(write_.gear()[0], sink());
    for (const Extent& extent : extents) {
      made.size += extent.length;
      EXPECT_TRUE(builder.add(extent));
    }
    EXPECT_TRUE(builder.finish(made));
    return made;
  }
  Entry file(const std::string& path, std::string_view content) {
    if (content.empty()) return file(path, std::vector<Extent>());
    return file(path, std::vector<Extent>{data(as_bytes(content))});
  }

  // The root of a tree of these, in whatever order they are given.
  BlobId tree(std::vector<Entry> entries) {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return repository::compare_paths(a.path, b.path) < 0;
    });
    repository::TreeBuilder builder(write_.gear()[0], sink());
    for (const Entry& one : entries) {
      const Status added = builder.add(one);
      EXPECT_TRUE(added) << added.error().text();
    }
    return repository::must(builder.finish());
  }

  // Lists a snapshot of this root, signed by the device.
  repository::SnapshotInfo& snapshot(const BlobId& root) {
    repository::SnapshotRecord record;
    record.device = device_id();
    record.time_ns = static_cast<int64_t>(remote_->list.size());
    repository::SnapshotInfo info;
    info.commit.snapshot = put(BlobKind::snapshot, {root}, encode(record));
    info.commit.root = root;
    info.commit.device = record.device;
    info.commit.time_ns = record.time_ns;
    info.commit.device_signature = repository::must(device_.sign(
        repository::snapshot_signed_part(repository_.record.id, info.commit.snapshot)));
    remote_->list.push_back(info);
    return remote_->list.back();
  }

  // A copy of this blob that this device put; `spoilt`, it does not open.
  void put_copy(const repository::DeviceId& device, const BlobId& id, bool spoilt) {
    repository::StoredBlob copy = remote_->blobs.at(id);
    copy.head.device = device;
    if (spoilt) copy.stored[copy.stored.size() / 2] ^= std::byte{1};
    remote_->copies[device][id] = std::move(copy);
  }

  void damage(const BlobId& id) {
    Bytes& stored = remote_->blobs.at(id).stored;
    stored[stored.size() / 2] ^= std::byte{1};
  }

  template <typename T>
  static T must(Result<T> result) {
    return repository::must(std::move(result));
  }

  identity::SigningKey device_;
  repository::NewRepository repository_;
  repository::WriteKeys write_;
  std::shared_ptr<MapRemote> remote_;
  std::unique_ptr<repository::SessionSealer> sealer_;
  std::unique_ptr<repository::Opener> opener_;
  std::unique_ptr<BlobFetcher> fetcher_;
};

}  // namespace cb::client
