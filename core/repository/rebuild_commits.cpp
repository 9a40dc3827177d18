// SPDX-License-Identifier: Apache-2.0
//
// The chain of commits, and the session records that rotation replaced.
#include <algorithm>

#include "core/repository/engine_chain.h"
#include "core/repository/engine_closure.h"
#include "core/repository/engine_records.h"
#include "core/repository/pack.h"
#include "core/repository/repository_rebuild.h"
#include "core/repository/signatures.h"

namespace cb::repository {

// Nothing when it is not there, and when it is not the owner's, which is told.
Result<std::optional<RepositoryRebuild::FoundSession>> RepositoryRebuild::read_replaced(
    const SessionId& session) {
  const std::string name = session_object(result_.id, session);
  auto bytes = read_object(*parts_.store, name, kMostRecordBytes);
  if (!bytes && bytes.error().code == Code::not_found) return std::nullopt;
  CB_ASSIGN(const bool there, usable(name, bytes));
  if (!there) return std::nullopt;
  const auto record = decode_session(*bytes);
  if (record && record->device.is_zero() &&
      verify_session_record(*record, result_.id, session, {{}, record_.root}))
    return FoundSession{std::move(*bytes), record->epoch, true};
  doubt(name, "is no session record of the repository's owner");
  return std::nullopt;
}

Status RepositoryRebuild::add_sessions() {
  CB_ASSIGN(const auto objects, list("session/"));
  for (const auto& found : objects) {
    const auto session = id_in<SessionId>(found.name);
    if (!session) {
      doubt(found.name, "is no session record of the repository's owner");
      continue;
    }
    const auto known = session_ranks_.find(*session);
    // What was not used in any pack opens nothing.
    if (known == session_ranks_.end()) continue;
    CB_ASSIGN(auto replaced, read_replaced(*session));
    const std::pair rank{true, replaced ? replaced->epoch : 0};
    if (!replaced || rank <= known->second) continue;
    const catalog::SessionRow row{session->bytes, std::move(replaced->record)};
    CB_TRY(parts_.catalog->index().set_sessions(number_, std::span(&row, 1)));
    known->second = rank;
  }
  return {};
}

Status RepositoryRebuild::add_commits() {
  CB_ASSIGN(const auto objects, list("commit/"));
  for (const auto& found : objects) CB_TRY(add_commit(found.name));
  return {};
}

Status RepositoryRebuild::set_rest_aside() {
  for (const std::string& name : not_taken_) {
    if (is_strange()) {
      doubt(name, "stays: no commit of its repository is this server's");
      continue;
    }
    if (!parts_.sets_aside) {
      doubt(name, "will be set aside: nothing follows it");
      continue;
    }
    CB_ASSIGN(const bool moved, set_aside(name));
    doubt(name, moved ? "was set aside"
                      : "could not be set aside: no commit can follow until it is moved away");
  }
  return {};
}

// Takes a record that the server signed, whether it follows the one before or not: a hole in the
// chain is told, and takes no other snapshot away.
Status RepositoryRebuild::add_commit(const std::string& name) {
  not_taken_.push_back(name);
  auto bytes = read_object(*parts_.store, name, kMostRecordBytes);
  CB_ASSIGN(const bool there, usable(name, bytes));
  if (!there) return {};
  const auto record = decode_commit(*bytes);
  CB_ASSIGN(const bool readable, usable(name, record));
  if (!readable) return {};
  if (!verify_commit(*record, result_.id, server_key())) {
    ++strange_commits_;
    doubt(name, origin_ ? "is not signed by the server that it was copied from"
                        : "is not signed by this server");
    return {};
  }
  if (name != commit_object(result_.id, record->sequence)) {
    doubt(name, "is another record than its name says");
    return {};
  }
  const uint64_t lost = record->sequence - last_sequence_ - 1;
  if (lost > 0)
    doubt(name, "follows " + std::to_string(lost) +
                    " lost records: what they forgot or removed may be back");
  else if (record->previous != last_hash_.value_or(CommitHash{}))
    doubt(name, "does not follow the commit before it");
  last_sequence_ = record->sequence;
  last_hash_ = hash_of_record(*bytes);
  not_taken_.clear();
  ++result_.commits;
  return add_row(*record, std::move(*bytes));
}

Status RepositoryRebuild::add_row(const CommitRecord& record, Bytes encoded) {
  const catalog::CommitRow row = row_of(record, std::move(encoded));
  catalog::Index& index = parts_.catalog->index();
  catalog::CommitEffect effect;
  const bool is_wish = record.type == CommitType::forget || record.type == CommitType::undelete;
  if (is_wish) {
    CB_ASSIGN(effect.changes_snapshot,
              may_move_to_trash(parts_.catalog->accounts(), record.device));
  }
  CB_ASSIGN(const int64_t domain, domain_of_device(record.device));
  ClosureWalk walk(index, number_, {domain}, ClosureWalk::Trust::closed);
  if (record.type == CommitType::commit) {
    CB_TRY(walk.walk(record.snapshot));
    CB_TRY(walk.walk(record.root));
    // What is missing the check tells, of those snapshots that are still there.
    if (walk.missing().empty()) effect.walked = walk.walked();
  }
  if (origin_ && (!is_wish || effect.changes_snapshot)) {
    CB_ASSIGN(effect.changes_snapshot, changes_copy(record, walk.missing().empty()));
  }
  return index.add_commit(number_, row, effect);
}

// Behind the last record that was taken: the next commit gets its place in the chain. False when it
// cannot be read.
Result<bool> RepositoryRebuild::set_aside(const std::string& name) {
  const auto bytes = read_object(*parts_.store, name, kMostRecordBytes);
  CB_ASSIGN(const bool there, usable(name, bytes));
  if (!there) return false;
  const std::string place = object("set-aside/") + name.substr(name.rfind('/') + 1);
  CB_TRY(write_object(*parts_.store, place, *bytes, false));
  CB_TRY(parts_.store->remove(name));
  return true;
}

}  // namespace cb::repository
