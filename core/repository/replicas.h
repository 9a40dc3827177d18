// SPDX-License-Identifier: Apache-2.0
//
// Repositories that are copies of another server's (docs/replication.md): what is taken from there,
// and what of it is here. The chain of commits is the other server's, record for record; nobody but
// replicas adds to it. Holds no key. Functions block and are for any thread; what changes one
// repository is for one thread at a time.
#pragma once

#include "core/repository/engine.h"

namespace cb::repository {

struct Origin {
  std::string source;          // what the operator calls the other server
  SigningPublic server_key{};  // signs the chain of commits
  bool keeps_removed = false;  // what is removed there stays here
};

// A snapshot of the chain that is not here yet.
struct AbsentCopy {
  BlobId snapshot, root;
  DeviceId device;
};

// A blob as the catalog knows it.
struct CopiedBlob {
  bool is_closed = false;  // everything below it is here
  std::vector<BlobId> children;
};

class Replicas {
 public:
  virtual ~Replicas() = default;

  // Nothing for a repository of this server's own.
  virtual Result<std::optional<Origin>> origin(const RepositoryId& repository) = 0;

  // A new copy in an account that has no repository: its record, without slots. Code::exists,
  // Code::auth when the root key did not sign the record.
  virtual Status begin(const RepositoryRecord& record, const std::string& account,
                       const Origin& origin) = 0;
  // Another name or another rule. Code::denied for another key, and for what is no copy.
  virtual Status set_origin(const RepositoryId& repository, const Origin& origin) = 0;
  // A record of a higher revision, or the same one, and all its slots. Code::auth unless the root
  // key signed it and the pairs of the slots. Code::denied for a record that is older or takes back
  // what there was: the source went back, or somebody tells two stories. What is here stays then.
  // So it does when a slot comes as another without a higher revision, or with another signed part.
  // Slots that do not come stay, too, unless the record revokes them; a reader's goes with a higher
  // revision, one of the first format when a signed one comes.
  virtual Status take_record(const RepositoryRecord& record, const std::vector<KeySlot>& slots) = 0;

  // The next record of the chain. One that makes a snapshot is taken when all below it is here;
  // else nothing is done and the answer has what is missing, unless it is to be taken as `absent`.
  // Code::corrupt when it does not follow, Code::auth when server or device did not sign it,
  // Code::denied when the device may not, or when the record is older than the one before it.
  virtual Result<std::vector<BlobId>> take_commit(const RepositoryId& repository, ByteView record,
                                                  Presence presence) = 0;
  // For blobs that come from another server, into a copy or to heal. They count for whoever has the
  // repository, but no quota refuses them: what its limits are the source has judged.
  virtual Result<std::unique_ptr<Intake>> intake(const RepositoryId& repository,
                                                 const Viewer& viewer) = 0;
  // What did not come yet; not what was dropped.
  virtual Result<std::vector<AbsentCopy>> absent(const RepositoryId& repository) = 0;
  // A snapshot that was absent is here if all below it is; else what is missing.
  virtual Result<std::vector<BlobId>> bring(const RepositoryId& repository,
                                            const BlobId& snapshot) = 0;

  // Removes a snapshot here alone; a collection takes what only it needs. Code::not_found.
  virtual Status drop(const RepositoryId& repository, const BlobId& snapshot) = 0;
  // Removes what stayed here though its source removed it. How many.
  virtual Result<uint64_t> drop_removed(const RepositoryId& repository) = 0;

  // What the chain says that there is, whether it is here or not; `with_kept` tells what was
  // forgotten there from the rest, and gives what was removed there, too. In the order of their
  // commits. For repositories of this server's own, too.
  virtual Result<std::vector<SnapshotInfo>> snapshots(const RepositoryId& repository,
                                                      bool with_trash, bool with_kept) = 0;

  // One answer for each id; nothing for what this viewer cannot lean on.
  virtual Result<std::vector<std::optional<CopiedBlob>>> look_up(const RepositoryId& repository,
                                                                 const Viewer& viewer,
                                                                 std::span<const BlobId> ids) = 0;
  // Whoever leans on copies of their own: an owner first, then each writer that has such.
  virtual Result<std::vector<Viewer>> viewers(const RepositoryId& repository) = 0;
  // The records of the sessions of these blobs, as far as this viewer put them itself: each once.
  virtual Result<std::vector<BlobId>> sessions_of(const RepositoryId& repository,
                                                  const Viewer& viewer,
                                                  std::span<const BlobId> ids) = 0;
};

}  // namespace cb::repository
