// SPDX-License-Identifier: Apache-2.0
//
// The chain of commit records of one repository: store first, then catalog. `mutex` makes it one
// thread's at a time; whoever calls load(), append(), take() or head(), replaces records or
// condemns blobs holds it.
#pragma once

#include <atomic>
#include <mutex>
#include <shared_mutex>

#include "core/repository/engine.h"
#include "core/repository/leases.h"

namespace cb::repository {

// Of a session record that comes in; those that are made have some hundred bytes.
constexpr size_t kLongestSessionRecord = 4096;
constexpr uint64_t kMostRecordBytes = 16 * 1024 * 1024;  // of one object; tags make a record long

std::string commit_prefix(const RepositoryId& repository);
std::string commit_object(const RepositoryId& repository, uint64_t sequence);
// A note of copies that an owner verified; `tail` makes the name one of its own.
std::string opened_object(const RepositoryId& repository, uint64_t time_ns,
                          const std::string& tail);
CommitHash hash_of_record(ByteView record);
// The row of a commit record and its bytes.
catalog::CommitRow row_of(const CommitRecord& record, Bytes encoded);

// Does a device's forget move a snapshot, or is it a wish that is only recorded? Owners move, and
// so does who has no device (v3); writers and readers wish.
Result<bool> may_move_to_trash(catalog::Accounts& accounts, const DeviceId& device);

// A whole object of at most `limit` bytes. Code::limit when it is longer.
Result<Bytes> read_object(plugin::Store& store, const std::string& object, uint64_t limit);
// Puts an object, replacing what had the name.
Status write_object(plugin::Store& store, const std::string& object, ByteView content,
                    bool if_absent);
// The repository of the first object behind `after` that is of one; `passed_over` gets the names of
// those before it, which are of none.
Result<std::optional<RepositoryId>> next_repository(
    plugin::Store& store, const std::string& after,
    const std::function<void(const std::string&)>& passed_over);

class CommitChain {
 public:
  CommitChain(const Engine::Parts& parts, int64_t number, const RepositoryId& id)
      : parts_(parts), number_(number), id_(id) {}

  std::mutex mutex;

  // Held by the one collection or compaction of the repository (docs/collection.md). Taken before
  // `mutex`.
  std::mutex upkeep_mutex;
  bool is_collecting = false;  // what is opened up meanwhile is not closed; guarded by `mutex`
  Leases leases;               // of open intakes

  // The newest epoch of the repository record. Who adds sessions shares `epoch_mutex` from looking
  // at it until their rows are there; who raises it has `epoch_mutex` alone.
  std::shared_mutex epoch_mutex;
  std::atomic<uint32_t> newest_epoch = 0;

  // Reads where the chain ends, and brings records that a crash left without a row into the
  // catalog. Code::corrupt names the record that does not follow.
  Status load();
  // Completes `draft` with sequence, previous hash, time and signature, and makes it durable.
  // Code::exists when another process was faster or a record has no row yet: load() and look again.
  // Code::denied when the record revokes the device, and of a copy of another server's repository.
  Result<CommitRecord> append(CommitRecord draft, const catalog::CommitEffect& effect);
  // For a copy: the next record of the other server's chain, as it is, made durable.
  // Code::corrupt when it does not follow or that server did not sign it.
  Status take(ByteView encoded, const catalog::CommitEffect& effect);
  // Is there a record in the store whose row could not be written? load() takes it in.
  [[nodiscard]] bool is_behind() const { return is_behind_; }
  // Which server's repository this is a copy of; nothing for one of this server's own.
  [[nodiscard]] const std::optional<catalog::ReplicaRow>& origin() const { return origin_; }
  // The same from the catalog, after a change.
  Status learn_origin();
  // Is it one? For whoever does not hold `mutex`.
  [[nodiscard]] bool is_copy() const { return is_copy_; }
  [[nodiscard]] const Engine::Head& head() const { return head_; }
  // When the newest commit was made; 0 before the first. The next is not older.
  [[nodiscard]] int64_t time_ns() const { return time_ns_; }
  // The same for whoever does not hold `mutex`: a commit may hold that for long.
  [[nodiscard]] Engine::Head newest() const {
    const std::lock_guard lock(head_mutex_);
    return head_;
  }

  [[nodiscard]] int64_t number() const { return number_; }
  [[nodiscard]] const RepositoryId& id() const { return id_; }

 private:
  Status replay(const std::string& object);
  [[nodiscard]] Status check_signature(const std::string& object, const CommitRecord& record) const;
  [[nodiscard]] Status check_follows(const std::string& object, const CommitRecord& record) const;
  [[nodiscard]] Result<bool> changes_snapshot(const CommitRecord& record) const;
  [[nodiscard]] Status check_device(const DeviceId& device) const;
  void advance(const CommitRecord& record, const CommitHash& hash);

  const Engine::Parts& parts_;
  int64_t number_;
  RepositoryId id_;
  mutable std::mutex head_mutex_;
  Engine::Head head_;  // written under both
  int64_t time_ns_ = 0;
  bool is_behind_ = false;  // guarded by mutex
  std::optional<catalog::ReplicaRow> origin_;
  std::atomic<bool> is_copy_ = false;
};

}  // namespace cb::repository
