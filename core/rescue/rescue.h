// SPDX-License-Identifier: Apache-2.0
//
// Opens what was found in a folder with what a person still has, and lists its snapshots
// (docs/rescue.md). For one thread; the remote is for any.
#pragma once

#include "core/rescue/pack_remote.h"
#include "core/rescue/rescue_key.h"

namespace cb::rescue {

// What opens a repository: one of the three.
struct RescueSecret {
  std::optional<RescueKey> key;
  std::optional<Secret> code;  // of a recovery code, 32 bytes
  std::optional<Secret> passphrase;
};

struct RescueWish {
  std::optional<repository::RepositoryId> repository;  // where there are several
  // Lists snapshots that no commit names, too: interrupted backups, and removed ones.
  bool all = false;
};

class Rescue {
 public:
  // Code::denied when the secret opens nothing here; Code::not_found when there is nothing that it
  // could open: no key slot, or no pack of the key's repository; Code::invalid when it opens
  // several repositories and none was chosen, or when the key is of another than was chosen.
  // Code::cancelled when the hoard was told to stop.
  static Result<std::unique_ptr<Rescue>> open(std::unique_ptr<Hoard> hoard,
                                              const repository::Suite& suite,
                                              const RescueSecret& secret, const RescueWish& wish);

  [[nodiscard]] const repository::RepositoryId& repository() const { return id_; }
  [[nodiscard]] const Hoard& hoard() const { return *hoard_; }
  [[nodiscard]] repository::Opener& opener() { return *opener_; }
  [[nodiscard]] std::shared_ptr<PackRemote> remote() const { return remote_; }
  // Are the snapshots those of commits? Else they are all that lie in packs.
  [[nodiscard]] bool has_commits() const { return has_commits_; }
  // The owner's root key, and the key of a device that it certified.
  [[nodiscard]] repository::SigningPublic root() const { return root_; }
  [[nodiscard]] std::optional<repository::SigningPublic> key_of(
      const repository::DeviceId& device) const;
  // What is odd about commits, sessions and certificates.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  Rescue() = default;
  Status unlock(const repository::Suite& suite, const RescueSecret& secret, const RescueWish& wish);
  Result<repository::Keyring> open_slots(const repository::Suite& suite,
                                         const repository::RepositoryId& id,
                                         const RescueSecret& secret) const;
  void find_root(const RescueSecret& secret);
  void take_certificates();
  void add_replaced_sessions(PackRemote::Parts& parts);
  void rank_sessions(PackRemote::Parts& parts) const;
  void tell_unnamed();
  [[nodiscard]] std::map<uint64_t, const repository::CommitRecord*> chain() const;
  [[nodiscard]] bool may_forget(const repository::CommitRecord& record) const;
  std::vector<repository::SnapshotInfo> committed();
  Result<repository::SnapshotInfo> read_snapshot(const repository::BlobId& id);
  Result<std::vector<repository::SnapshotInfo>> uncommitted(
      const std::vector<repository::SnapshotInfo>& committed);

  std::unique_ptr<Hoard> hoard_;
  repository::RepositoryId id_;
  FoundRepository* found_ = nullptr;
  std::optional<repository::RepositoryRecord> record_;
  repository::Keyring keyring_;
  repository::SigningPublic root_{};
  std::map<repository::DeviceId, repository::Certificate> devices_;
  std::unique_ptr<repository::Opener> opener_;
  std::shared_ptr<PackRemote> remote_;
  bool has_commits_ = false;
  std::vector<std::string> notes_;
};

}  // namespace cb::rescue
