// SPDX-License-Identifier: Apache-2.0
//
// For tests: a repository in memory that loses what is not durable when its connection breaks, and
// remembers every blob that was sent again although it had been acknowledged. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <set>

#include "core/repository/remote.h"

namespace cb::client {

struct MemoryRepository {
  std::mutex mutex;
  std::map<repository::BlobId, repository::StoredBlob> blobs;  // durable ones
  std::vector<repository::CommitRequest> commits;
  std::map<repository::CommitId, Bytes> receipts;
  repository::RepositoryRecord record;
  uint64_t rotate_at = UINT64_MAX;  // puts, after which a session of the older epoch is refused
  uint64_t puts = 0;                // of blobs but session records
  uint64_t put_bytes = 0;
  uint64_t sent_again = 0;  // blobs that were durable
  uint64_t asked = 0;       // ids
  uint64_t questions = 0;
  std::vector<repository::BlobId> signatures;  // and recipes that are durable, the newest last
  size_t signature_page = 4096;                // how many are told at once
  std::vector<repository::BlobId> wanted;      // damaged ones
  std::set<repository::BlobId> damaged;        // that end an answer
};

class MemoryRemote final : public repository::Remote {
 public:
  // The connection breaks after `cut_after` puts; every `group` puts become durable together.
  explicit MemoryRemote(MemoryRepository& repository, uint64_t cut_after = UINT64_MAX,
                        uint64_t group = 3)
      : repository_(repository), left_(cut_after), group_(group) {}

  Result<std::vector<bool>> have(std::span<const repository::BlobId> ids) override {
    const std::lock_guard lock(repository_.mutex);
    if (left_ == 0) return closed();
    repository_.asked += ids.size();
    ++repository_.questions;
    std::vector<bool> answer;
    for (const auto& id : ids) answer.push_back(find(id));
    return answer;
  }

  Result<uint64_t> put(repository::StoredBlob blob) override {
    const std::lock_guard lock(repository_.mutex);
    if (left_ == 0) return closed();
    --left_;
    if (repository_.puts == repository_.rotate_at &&
        blob.head.kind != repository::BlobKind::session)
      rotate();
    if (stale_) return failed(Code::state, "session", "is of an older epoch");
    if (blob.head.kind != repository::BlobKind::session) {
      ++repository_.puts;
      repository_.put_bytes += blob.stored.size();
      if (repository_.blobs.contains(blob.head.id)) ++repository_.sent_again;
    }
    moving_.push_back(std::move(blob));
    ++puts_;
    if (moving_.size() >= group_) settle();
    return puts_;
  }

  [[nodiscard]] uint64_t durable_puts() const override {
    const std::lock_guard lock(repository_.mutex);
    return puts_ - moving_.size();
  }

  Status flush() override {
    const std::lock_guard lock(repository_.mutex);
    if (left_ == 0) return closed();
    settle();
    return {};
  }

  Result<repository::CommitAnswer> commit(const repository::CommitRequest& request) override {
    const std::lock_guard lock(repository_.mutex);
    if (left_ == 0) return closed();
    settle();
    repository::CommitAnswer answer;
    collect(request.snapshot, answer.missing);
    if (!answer.missing.empty()) return answer;
    auto& receipt = repository_.receipts[request.commit_id];
    if (receipt.empty()) {
      repository_.commits.push_back(request);
      repository::CommitRecord record;
      record.sequence = repository_.commits.size();
      record.snapshot = request.snapshot;
      record.root = request.root;
      record.flags = request.flags;
      record.commit_id = request.commit_id;
      receipt = repository::encode(record);
    }
    answer.receipt = receipt;
    if (lose_answer) {
      lose_answer = false;
      left_ = 0;
      return closed();
    }
    return answer;
  }

  Status get(std::span<const repository::BlobId> ids, const repository::CopyChoice&,
             const BlobSink& sink) override {
    for (const auto& id : ids) {
      const auto found = repository_.blobs.find(id);
      if (found == repository_.blobs.end()) return failed(Code::not_found, id.hex(), "is not here");
      if (repository_.damaged.contains(id)) return failed(Code::corrupt, id.hex(), "is damaged");
      CB_TRY(sink(found->second));
    }
    return {};
  }

  Result<std::vector<repository::SnapshotInfo>> snapshots(bool) override { return nothing(); }
  Result<repository::CommitRecord> forget(const repository::BlobId&) override { return nothing(); }
  Result<repository::CommitRecord> undelete(const repository::BlobId&) override {
    return nothing();
  }
  Result<repository::RepositoryRecord> record() override {
    const std::lock_guard lock(repository_.mutex);
    return repository_.record;
  }
  Result<std::vector<repository::KeySlot>> slots() override { return nothing(); }
  Status add_slot(const repository::KeySlot&) override { return nothing(); }
  Status remove_slot(const repository::SlotId&) override { return nothing(); }
  Result<repository::RemoteCounts> counts() override { return nothing(); }

  Result<repository::ChainPage> chain(uint64_t) override { return nothing(); }

  Result<repository::SignaturePage> signatures(uint64_t before) override {
    const std::lock_guard lock(repository_.mutex);
    if (left_ == 0) return closed();
    const auto& all = repository_.signatures;
    size_t at = before == 0 ? all.size() : std::min<size_t>(before - 1, all.size());
    repository::SignaturePage page;
    for (; at > 0 && page.ids.size() < repository_.signature_page; --at)
      page.ids.push_back(all[at - 1]);
    page.next = at + 1;
    page.last = at == 0;
    return page;
  }

  Result<repository::WantedPage> wanted(const repository::BlobId&) override {
    const std::lock_guard lock(repository_.mutex);
    repository::WantedPage page{{}, true};
    for (const auto& id : repository_.wanted)
      page.blobs.push_back({id, repository::BlobKind::data});
    return page;
  }

  bool lose_answer = false;  // of the next commit

 private:
  static tl::unexpected<Error> closed() { return failed(Code::closed, "server", "went away"); }
  static tl::unexpected<Error> nothing() { return failed(Code::unsupported, "test", "has none"); }

  bool find(const repository::BlobId& id) const {
    if (repository_.blobs.contains(id)) return true;
    for (const auto& blob : moving_)
      if (blob.head.id == id) return true;
    return false;
  }

  void rotate() {
    repository_.rotate_at = UINT64_MAX;
    auto& epochs = repository_.record.epochs;
    epochs.push_back({epochs.back().number + 1, epochs.back().public_half});
    puts_ -= moving_.size();
    moving_.clear();
    stale_ = true;
  }

  void settle() {
    for (auto& blob : moving_) {
      const auto id = blob.head.id;
      const bool is_weak = repository::is_weak(blob.head.kind);
      const bool is_new = repository_.blobs.emplace(id, std::move(blob)).second;
      if (is_new && is_weak) repository_.signatures.push_back(id);
    }
    moving_.clear();
  }

  void collect(const repository::BlobId& id, std::vector<repository::BlobId>& missing) {
    std::set<repository::BlobId> seen;
    std::vector<repository::BlobId> next{id};
    while (!next.empty()) {
      const auto at = next.back();
      next.pop_back();
      if (!seen.insert(at).second) continue;
      const auto found = repository_.blobs.find(at);
      if (found == repository_.blobs.end())
        missing.push_back(at);
      else
        next.insert(next.end(), found->second.head.children.begin(),
                    found->second.head.children.end());
    }
  }

  MemoryRepository& repository_;
  uint64_t left_;
  uint64_t group_;
  uint64_t puts_ = 0;
  bool stale_ = false;
  std::vector<repository::StoredBlob> moving_;
};

}  // namespace cb::client
