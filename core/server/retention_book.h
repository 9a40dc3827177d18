// SPDX-License-Identifier: Apache-2.0
//
// What was said about retention: rules, pinned snapshots, and requests that wait for a person.
// Whatever shortens the stay in the trash waits for another person than who asked. Thread-safe;
// functions block and belong on a worker. `who` is a person ("uid 0 (root)"), a device
// ("device 0a1b...") or "schedule".
#pragma once

#include <mutex>

#include "core/catalog/catalog.h"
#include "core/os/clock.h"
#include "core/report/json.h"
#include "core/server/retention_plan.h"

namespace cb::server {

// The words of ApprovalRow::what.
constexpr const char* kRetentionRequest = "retention";
constexpr const char* kTrashStayRequest = "trash-stay";

// Are both the same person, whatever their names?
bool is_same_person(const std::string& one, const std::string& other);

class RetentionBook {
 public:
  // All outlive it.
  struct Parts {
    catalog::Catalog* catalog = nullptr;
    repository::Engine* engine = nullptr;
    const os::Clock* clock = nullptr;
  };
  explicit RetentionBook(const Parts& parts) : parts_(parts) {}

  // By source, the repository's own first. Rules that cannot be read are Code::corrupt.
  Result<std::vector<SourceRules>> rules(const repository::RepositoryId& repository) const;

  struct Change {
    SourceRules now;                 // in force
    std::optional<int64_t> request;  // to be approved by another person: the shorter stay
  };
  // Code::invalid for rules that retention::check refuses.
  Result<Change> set_rules(const repository::RepositoryId& repository, const SourceKey& source,
                           const retention::Rules& rules, const std::string& who);
  // The repository's count for the source then, or else everything is kept. Code::state when the
  // stay in the trash would be shorter like this, Code::not_found without rules.
  Result<Change> remove_rules(const repository::RepositoryId& repository, const SourceKey& source);

  // Both take snapshots in the trash, too. Code::not_found.
  Result<std::vector<catalog::PinRow>> pins(const repository::RepositoryId& repository) const;
  Status pin(const repository::RepositoryId& repository, const repository::BlobId& snapshot,
             int64_t until_ns, const std::string& reason, const std::string& who);
  Status unpin(const repository::RepositoryId& repository, const repository::BlobId& snapshot);

  // Those that wait, or are approved and not done.
  Result<std::vector<catalog::ApprovalRow>> requests() const;
  // Code::denied for who asked for a shorter stay itself; Code::state for what does not wait or
  // does not fit any more.
  Result<catalog::ApprovalRow> approve(int64_t number, const std::string& who);

  // What a run plans with, but for `most_removed`. Of a copy, whose chain has another server's
  // trash, everything that is in it counts as kept so far.
  Result<RetentionInput> input(const repository::RepositoryId& repository) const;
  // Asks that what a plan objects to is done; an earlier request for the same is left, one for
  // something else of the source is given up. Returns its number.
  Result<int64_t> ask(const repository::RepositoryId& repository, const std::string& account,
                      const PlannedSource& plan, const std::string& who);
  // What a person approved of a source, and nobody did: its number and snapshots. It is used then.
  Result<std::optional<std::set<repository::BlobId>>> take_approval(
      const repository::RepositoryId& repository, const SourceKey& source);
  // Gives up requests of a source that needs none any more.
  Status give_up(const repository::RepositoryId& repository, const SourceKey& source);

  // Writes rules, pins and freezes into the store: those of a crash, or that others changed.
  Status keep(const repository::RepositoryId& repository);

  // Into the trash, and out of it for good: not what was pinned or frozen meanwhile (false).
  Result<bool> trash(const repository::RepositoryId& repository,
                     const repository::BlobId& snapshot);
  Result<bool> remove(const repository::RepositoryId& repository,
                      const repository::BlobId& snapshot);
  // The same of a copy, which has no trash of its own: out of it for good.
  Result<bool> drop(const repository::RepositoryId& repository, const repository::BlobId& snapshot);

 private:
  Result<int64_t> number_of(const repository::RepositoryId& repository) const;
  Result<std::vector<SourceRules>> read_rules(int64_t repository) const;
  Status store_rules(int64_t repository, const SourceRules& rules);
  Result<int64_t> ask_for_stay(const repository::RepositoryId& repository,
                               const SourceRules& before, const SourceKey& source, int64_t stay_ns,
                               const std::string& who);
  Status shorten_stay(const catalog::ApprovalRow& request);
  Result<std::vector<catalog::ApprovalRow>> requests_of(int64_t repository, const char* what,
                                                        const SourceKey& source) const;
  Result<bool> is_pinned(int64_t repository, const repository::BlobId& snapshot) const;
  Result<bool> is_frozen(int64_t repository, const repository::BlobId& snapshot) const;
  Status keep_note(const repository::RepositoryId& repository);
  [[nodiscard]] int64_t now() const { return parts_.clock->wall().count(); }

  Parts parts_;
  mutable std::mutex mutex_;  // held while something is changed, so that no pin comes too late
};

}  // namespace cb::server
