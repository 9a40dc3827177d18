// SPDX-License-Identifier: Apache-2.0
//
// The fine grain of a backup (docs/fine-grain.md): what is new in a big file is stored, and for the
// rest its content leans on what is there; and what is stored is described for the next time. It
// only saves: trouble with the index ends it, and files are stored as they come. Thread-safe.
#pragma once

#include <atomic>
#include <mutex>
#include <unordered_set>

#include "core/client/patch_mending.h"
#include "core/client/region_match.h"
#include "core/repository/remote.h"

namespace cb::client {

class FineGrain {
 public:
  // All outlive it.
  struct Parts {
    repository::Suite suite;
    const repository::WriteKeys* keys = nullptr;
    repository::DeviceId device;
    repository::SigningPublic device_key{};
    repository::SessionSealer::Sign sign;
    FineIndex* index = nullptr;
    repository::Remote* remote = nullptr;
    // Blobs that are damaged in the repository: nothing leans on them.
    std::unordered_set<repository::BlobId, repository::IdHash> damaged;
    // The index may name what is not there: what is gone is forgotten before anything leans on it.
    bool distrust = false;
  };
  explicit FineGrain(Parts parts) : parts_(std::move(parts)) {}

  using Anchors = std::vector<repository::Anchor>;
  [[nodiscard]] Anchors anchors(ByteView region) const;
  // How a piece of a big file can be had; none: store it as it is. Fails when the remote does.
  Result<std::vector<RegionPart>> match(const repository::BlobId& id, ByteView region,
                                        const Anchors& anchors);
  // Is there something to be told of this blob, which is there? Fails when the remote does.
  Result<bool> lacks(const repository::BlobId& blob);
  // The signature blob of a data blob that was put, and notes it. `offset` is that of its first
  // byte in its file.
  Result<repository::StoredBlob> describe(const repository::BlobId& blob, ByteView plain,
                                          uint64_t offset, Anchors anchors);
  // The same of a patch.
  Result<repository::StoredBlob> describe(const repository::BlobId& blob,
                                          repository::BlobSignature signature);
  // Damaged patches that came together again meanwhile, to be put as they were.
  std::vector<PatchMending::Made> mended() { return mending_.made(); }
  // The backup was committed: what was noted is true.
  void settle();
  // What the index failed with.
  [[nodiscard]] std::optional<Error> trouble() const;

 private:
  Result<bool> is_ready();
  Status prepare();
  Result<std::vector<bool>> have(std::span<const repository::BlobId> ids);
  Status fetch();
  Status fetch_page(const std::vector<repository::BlobId>& ids);
  Result<std::vector<repository::BlobId>> fetch_some(std::span<const repository::BlobId> ids);
  Status adopt(const repository::StoredBlob& blob);
  bool works() const { return works_; }
  void give_up(const Error& error);

  const Parts parts_;
  PatchMending mending_;
  std::atomic<bool> works_{true};
  std::mutex preparing_;
  bool prepared_ = false;  // guarded by preparing_
  mutable std::mutex mutex_;
  std::optional<Error> trouble_;  // guarded by mutex_
};

}  // namespace cb::client
