// SPDX-License-Identifier: Apache-2.0
//
// One account of a source brought up to date here: records, devices, the chain of commits with what
// hangs below each, and damaged blobs anew. Everything is verified as it comes; what does not hold
// ends it with the reason, and what is here stays as it is. One thread.
#pragma once

#include <set>

#include "core/replication/arriving_blobs.h"
#include "core/replication/members_copy.h"
#include "core/repository/replicas.h"

namespace cb::replication {

class AccountCopy {
 public:
  // All outlive it.
  struct Parts {
    MembersParts members;
    SourceRemote* source = nullptr;
    Pace* pace = nullptr;
    std::function<bool()> goes_on;
    std::string source_name;
    bool keeps_removed = true;        // else what the source removed goes here, too
    uint64_t most_stored = 0;         // bytes of the account here; 0: as much as the source has
    uint64_t most_commits = 100'000;  // of one run; the rest comes with the next
  };
  struct Counts {
    uint64_t commits = 0;
    uint64_t blobs = 0, bytes = 0;
    uint64_t healed = 0;   // damaged blobs that came anew
    uint64_t lacking = 0;  // snapshots that the source has not whole, and that are absent here
    uint64_t dropped = 0;  // snapshots that went because the source removed them
    uint64_t left = 0;     // commits that are left for the next run
  };

  AccountCopy(const Parts& parts, const SourceAccount& theirs);

  // Code::auth: another repository, another owner's or another server's chain. Code::denied: the
  // source went back or tells another story. Code::limit: more than is to be stored here.
  // Code::cancelled: it was told to stop; go on later.
  Status run();
  // Only heals: damaged blobs of a repository that is here, whoever's. One that is no copy of this
  // source's takes only what is of the same shape as what was damaged.
  Status heal();

  [[nodiscard]] Counts counts() const;

 private:
  Status check_identity();
  Status begin();
  Status check_chain();
  Status measure_room();
  Status take_records();
  using VisitCommit = std::function<Status(const Bytes& encoded, const repository::CommitRecord&)>;
  // Commits of the source, without those of `after` and before.
  struct Stretch {
    uint64_t after = 0, last = 0;
  };
  Status each_commit(const Stretch& stretch, const VisitCommit& visit);
  Result<repository::ChainPage> page_of_chain(uint64_t next);
  Status note_removals(const Stretch& stretch, repository::CommitHash previous);
  Status take_chain();
  Status take_commit(const Bytes& encoded, const repository::CommitRecord& commit);
  Result<bool> bring_below(const repository::BlobId& snapshot, const repository::BlobId& root,
                           const repository::DeviceId& device);
  Status bring_absent();
  Status renew_sessions();
  Status heal_for(const repository::Viewer& viewer, bool trusts);
  [[nodiscard]] repository::Engine& engine() const { return *parts_.members.engine; }
  [[nodiscard]] repository::Replicas& replicas() const { return engine().replicas(); }
  [[nodiscard]] std::string name() const { return "account " + theirs_.account; }

  const Parts parts_;
  const SourceAccount theirs_;
  ArrivingBlobs blobs_;
  Counts counts_;
  std::set<repository::BlobId> removed_;  // by records of the chain that are new here
};

}  // namespace cb::replication
