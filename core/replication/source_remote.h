// SPDX-License-Identifier: Apache-2.0
//
// Another server as a replication sees it: what it lets be copied (docs/replication.md). Functions
// block and are for one thread at a time. Code::closed when the connection is lost: begin again
// with a new one; what is durable here stays.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/repository/blob.h"
#include "core/repository/owner_remote.h"
#include "core/repository/records.h"
#include "core/repository/remote.h"

namespace cb::replication {

// An account whose repository may be copied.
struct SourceAccount {
  std::string account;
  repository::RepositoryId repository;
  repository::SigningPublic root{};  // the owner's root key
  uint64_t head = 0;                 // sequence of the newest commit; 0: none yet
  repository::CommitHash head_hash;
  repository::SigningPublic chain_key{};  // signs the chain of commits
};

struct SourceRecords {
  repository::AccountRecord account;
  repository::RepositoryRecord record;  // nobody has verified it yet
  std::vector<repository::KeySlot> slots;
};

class SourceRemote {
 public:
  virtual ~SourceRemote() = default;

  // By name.
  virtual Result<std::vector<SourceAccount>> accounts() = 0;
  virtual Result<SourceRecords> records(const repository::RepositoryId& repository) = 0;
  virtual Result<std::vector<repository::DeviceEntry>> devices(
      const repository::RepositoryId& repository) = 0;
  // Records from `sequence` on; a page is what fits one answer.
  virtual Result<repository::ChainPage> chain(const repository::RepositoryId& repository,
                                              uint64_t sequence) = 0;
  // Calls `sink` for each blob as `device` put it, or, where that is zero, as owners did; each with
  // its checksum, which nobody has compared yet, and the records of their sessions before them.
  // Returns what is not there. At most 4,096 ids.
  using Sink = std::function<Status(repository::StoredBlob)>;
  virtual Result<std::vector<repository::BlobId>> get(const repository::RepositoryId& repository,
                                                      const repository::DeviceId& device,
                                                      std::span<const repository::BlobId> ids,
                                                      const Sink& sink) = 0;
};

}  // namespace cb::replication
