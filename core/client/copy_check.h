// SPDX-License-Identifier: Apache-2.0
//
// An owner's look into the copies of blobs that other devices put and nobody vouches for: what
// opens is told to the server, so that everybody may lean on it; what does not is condemned, and
// its device named (docs/trust.md, "Leaning"). Used by one thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "core/report/progress.h"
#include "core/repository/keys.h"
#include "core/repository/owner_remote.h"
#include "core/repository/remote.h"

namespace cb::client {

// A blob that its device sealed wrongly, or under another's id.
struct PoisonedCopy {
  repository::BlobId id;
  repository::DeviceId device;
  Error error;
  // False when the record of its session is not signed by who made it: then it may as well be the
  // server that spoiled the record, and with it the key.
  bool blames_device = true;
};

// One connection.
struct CopyRemote {
  std::shared_ptr<repository::Remote> remote;
  std::shared_ptr<repository::OwnerRemote> owner;
};

struct CopyCheckResult {
  uint64_t good = 0;        // open, and everybody may lean on them now
  uint64_t unread = 0;      // cannot be judged: not readable in the store, or no key for them
  uint64_t bytes_read = 0;  // sealed
  std::vector<PoisonedCopy> poisoned;  // the first 1,000
  uint64_t poisoned_count = 0;
};

class CopyCheck {
 public:
  struct Parts {
    // At first, and again when the connection was lost.
    std::function<Result<CopyRemote>()> connect;
    // A fresh one for each device: one's session records must not open another's blobs.
    std::function<Result<std::unique_ptr<repository::Opener>>()> opener;
    // Is a session's record signed by the device that it names, or by the owner? Empty: it is.
    std::function<bool(const repository::SessionId&, const repository::SessionRecord&)> is_signed;
    std::function<void(const report::Progress&)> progress;  // may be empty
  };
  explicit CopyCheck(Parts parts) : parts_(std::move(parts)) {}

  // Holds some blobs at a time. What was told to the server stays told when it ends early
  // (Code::cancelled, or Code::closed when no connection lasts). Poison is no error of this
  // function.
  Result<CopyCheckResult> run();
  void cancel() { cancelled_ = true; }  // for any thread

 private:
  using DeviceId = repository::DeviceId;
  using BlobId = repository::BlobId;
  struct Verdicts {
    std::vector<BlobId> good, bad;
  };

  template <typename Ask>
  auto ask(const Ask& question) -> decltype(question(std::declval<const CopyRemote&>()));
  Status pass(bool lists);
  Status look_at(const DeviceId& device, std::span<const BlobId> ids);
  Status fetch(const DeviceId& device, std::span<const BlobId> ids,
               std::vector<repository::StoredBlob>& blobs);
  Status judge(const DeviceId& device, const repository::StoredBlob& blob, Verdicts& verdicts);
  void condemn(const DeviceId& device, const repository::BlobHead& head, const Error& error);
  Result<Status> learn(const DeviceId& device, const repository::SessionId& session);
  Result<repository::Opener*> opener_of(const DeviceId& device);
  Status tell(const DeviceId& device, const Verdicts& verdicts);
  void show();

  Parts parts_;
  std::atomic<bool> cancelled_{false};
  CopyCheckResult result_;
  CopyRemote link_;  // null: to be made
  std::map<DeviceId, std::unique_ptr<repository::Opener>> openers_;
  // Sessions whose records, as the device's copy has them, nobody signed who could.
  std::set<std::pair<DeviceId, repository::SessionId>> unsigned_;
  uint64_t listed_ = 0;  // in this pass
};

}  // namespace cb::client
