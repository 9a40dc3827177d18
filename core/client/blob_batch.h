// SPDX-License-Identifier: Apache-2.0
//
// Batches of blobs over one connection, opened: session records are fetched as they are needed, one
// bad blob does not spoil the others, nor does a bad copy of one, and a lost connection is made
// again. Thread-safe.
#pragma once

#include <atomic>
#include <map>
#include <mutex>

#include "core/client/restore.h"

namespace cb::client {

class BlobBatches {
 public:
  struct Parts {
    std::shared_ptr<repository::Remote> remote;
    BlobFetcher::Connect reconnect;  // may be empty
    BlobFetcher::Devices devices;    // likewise
  };
  BlobBatches(Parts parts, repository::Opener& opener);
  // Whose copies are wanted from the next get on.
  void read_as(const repository::DeviceId& device);

  // One answer for each id, on the calling thread or the remote's, one at a time.
  Status get(std::span<const repository::BlobId> ids, const BlobFetcher::Answer& answer);
  [[nodiscard]] uint64_t bytes_fetched() const { return bytes_; }
  // The records of the sessions whose blobs were opened.
  [[nodiscard]] std::map<repository::SessionId, Bytes> session_records() const;

 private:
  struct Round;
  struct Unopened;
  Status one_round(Round& round, repository::Remote& remote);
  Status take(Round& round, repository::StoredBlob blob);
  Result<repository::PlainBlob> open(const repository::StoredBlob& blob) const;
  Status answer_with(Round& round, repository::StoredBlob blob);
  Status open_held(Round& round, repository::Remote& remote);
  Status learn(const repository::SessionId& session, const repository::CopyChoice& copy,
               repository::Remote& remote);
  Status try_others(Round& round, repository::Remote& remote);
  Status try_copies(Round& round, Unopened unopened, repository::Remote& remote);
  Result<bool> try_copy(Round& round, const repository::BlobId& id,
                        const repository::DeviceId& device, repository::Remote& remote);
  Status one_by_one(Round& round);
  Status after_round(Round& round, Status done, unsigned& lost);
  Status after_failure(Round& round, const Error& error, unsigned& lost);
  Status reconnect(const std::shared_ptr<repository::Remote>& lost);
  std::shared_ptr<repository::Remote> remote();

  repository::Opener& opener_;
  const BlobFetcher::Connect connect_;
  const BlobFetcher::Devices devices_;
  mutable std::mutex mutex_;
  std::shared_ptr<repository::Remote> remote_;           // guarded by mutex_
  repository::DeviceId device_;                          // guarded by mutex_
  std::map<repository::SessionId, Error> bad_sessions_;  // guarded by mutex_
  std::map<repository::SessionId, Bytes> records_;       // guarded by mutex_
  std::atomic<uint64_t> bytes_{0};
};

}  // namespace cb::client
