// SPDX-License-Identifier: Apache-2.0
//
// Checks snapshots from the client's side, where the keys are: signatures, file lists, and that all
// content is there or, on demand, that it opens and is what it should be. Used by one thread.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/client/restore.h"

namespace cb::client {

enum class DamageKind {
  content,  // of files, or a file list
  record,   // of a snapshot or a session: cannot be read, or is not signed by who made it
  history,  // tells another one than is known here
};

struct SnapshotDamage {
  repository::BlobId snapshot;  // zero: of the whole repository
  std::string path;             // empty: the snapshot itself
  Error error;
  DamageKind kind = DamageKind::content;
};

// How many there are of what calls for different things.
struct DamageCounts {
  uint64_t present = 0;  // content that the newest snapshot of a source needs: a backup may heal it
  uint64_t past = 0;     // content that only older snapshots need: no backup makes it again
  uint64_t records = 0;
  uint64_t histories = 0;
};

struct SnapshotCheckResult {
  uint64_t snapshots = 0;
  uint64_t nodes = 0;
  uint64_t blobs = 0;                   // of content
  uint64_t unread = 0;                  // of these, other devices' that only reading can check
  uint64_t bytes_read = 0;              // sealed
  uint64_t unknown_signers = 0;         // snapshots of devices whose key is not known here
  std::vector<SnapshotDamage> damages;  // the first 1,000
  uint64_t damage_count = 0;
  DamageCounts counts;  // their sum is damage_count
};

class SnapshotCheck {
 public:
  // All outlive the check.
  struct Parts {
    repository::Remote* remote = nullptr;
    BlobFetcher* fetcher = nullptr;
    repository::RepositoryId repository;
    repository::SigningPublic root{};  // of the owner
    // The public key of a device; nothing when it is not known.
    std::function<std::optional<repository::SigningPublic>(const repository::DeviceId&)> key_of;
    // Can this device lean on what that one's snapshots are made of? Empty: on everything.
    std::function<bool(const repository::DeviceId&)> leans;
    // Does a snapshot tell the same history as is known here? May be empty.
    std::function<Status(const repository::SnapshotRecord&, const repository::CommitRecord&)> judge;
    std::function<void(const report::Progress&)> progress;  // may be empty
    const os::Clock* clock = nullptr;
  };
  explicit SnapshotCheck(Parts parts) : parts_(std::move(parts)) {}

  // All snapshots, with those in the trash. Damage is no error of this function.
  Result<SnapshotCheckResult> run(bool read_data);
  void cancel() { cancelled_ = true; }  // for any thread

 private:
  struct Need {
    uint64_t end = 0;             // bytes of the plaintext that are named
    repository::DeviceId device;  // whose snapshot named it first
    bool told = false;            // a have answer tells whether it is there
  };

  Status check_head(const repository::CommitRecord& commit);
  Status collect(const repository::BlobId& id, unsigned depth);
  Status collect_file(const repository::Entry& file);
  void check_sessions();
  Status ask_for_content();
  [[nodiscard]] std::span<const repository::BlobId> next_to_read(size_t at) const;
  Status read_content();
  Status name_below(const repository::CommitRecord& commit, const repository::BlobId& id,
                    const std::string& last, bool& clean);
  Result<std::optional<repository::BlobId>> bad_of(const repository::Entry& file);
  void note_newest(const std::vector<repository::SnapshotInfo>& snapshots);
  void damage(const repository::CommitRecord& commit, const std::string& path, const Error& error,
              DamageKind kind);
  void content_damage(const repository::CommitRecord& commit, const std::string& path,
                      const repository::BlobId& bad);
  void count_content();
  void show(uint64_t done, uint64_t total, const std::string& current);

  Parts parts_;
  std::atomic<bool> cancelled_{false};
  SnapshotCheckResult result_;
  repository::DeviceId reading_;  // whose snapshot is looked at
  std::unordered_set<repository::BlobId, repository::IdHash> nodes_;
  std::unordered_set<repository::BlobId, repository::IdHash> clean_;
  std::vector<repository::BlobId> order_;
  std::unordered_map<repository::BlobId, Need, repository::IdHash> needs_;
  std::unordered_map<repository::BlobId, Error, repository::IdHash> bad_;
  // Whole snapshots that are the newest of their source.
  std::unordered_set<repository::BlobId, repository::IdHash> newest_;
  struct Places {
    uint64_t count = 0;
    bool present = false;  // one is in a newest snapshot
  };
  std::unordered_map<repository::BlobId, Places, repository::IdHash> places_;  // of what is bad
};

}  // namespace cb::client
