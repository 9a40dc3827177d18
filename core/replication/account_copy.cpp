// SPDX-License-Identifier: Apache-2.0
#include "core/replication/account_copy.h"

#include <algorithm>

#include "core/identity/signing.h"
#include "core/replication/closure_copy.h"
#include "core/replication/damaged_blobs.h"
#include "core/repository/signatures.h"

namespace cb::replication {

using repository::BlobId;
using repository::CommitRecord;
using repository::CommitType;
using repository::Origin;
using repository::Presence;

namespace {

constexpr size_t kSessionsAtOnce = 256;
constexpr size_t kWantedAtOnce = 256;

constexpr const char* kAskOperator =
    "ask the source's operator what happened; what is here stays as it is";

ArrivingBlobs::Parts blob_parts(const AccountCopy::Parts& parts) {
  return {parts.members.catalog, parts.members.engine, parts.source, parts.pace, parts.goes_on};
}

}  // namespace

AccountCopy::AccountCopy(const Parts& parts, const SourceAccount& theirs)
    : parts_(parts), theirs_(theirs), blobs_(blob_parts(parts_), theirs_.repository) {}

AccountCopy::Counts AccountCopy::counts() const {
  Counts all = counts_;
  all.blobs = blobs_.counts().blobs;
  all.bytes = blobs_.counts().bytes;
  return all;
}

Status AccountCopy::run() {
  CB_TRY(check_identity());
  CB_TRY(check_chain());
  CB_TRY(measure_room());
  CB_TRY(take_records());
  CB_TRY(take_chain());
  // What the rest of the chain removes need not be looked for.
  if (counts_.left == 0) CB_TRY(bring_absent());
  CB_TRY(renew_sessions());
  return heal();
}

// Is what is here under this name a copy of that repository, from that server?
Status AccountCopy::check_identity() {
  catalog::Accounts& accounts = parts_.members.catalog->accounts();
  CB_ASSIGN(const auto account, accounts.account_by_name(theirs_.account));
  if (!account) return begin();
  CB_ASSIGN(const auto here, engine().of_account(theirs_.account));
  if (!here) return begin();
  CB_ASSIGN(const auto record, engine().record(*here));
  if (*here != theirs_.repository || record.root != theirs_.root)
    return failed(Code::auth, name(), "is another repository or another owner's than that here",
                  "rename one of the two accounts, or leave it out with accounts = [...]");
  CB_ASSIGN(const auto origin, replicas().origin(*here));
  if (!origin)
    return failed(Code::auth, name(), "is this server's own, and no copy",
                  "to heal it from a copy, add the source with --heal-only");
  if (origin->server_key != theirs_.chain_key)
    return failed(Code::auth, name(), "has a chain that another server signs than before",
                  kAskOperator);
  if (!parts_.keeps_removed) {
    CB_ASSIGN(counts_.dropped, replicas().drop_removed(*here));
  }
  return replicas().set_origin(*here,
                               {parts_.source_name, theirs_.chain_key, parts_.keeps_removed});
}

Status AccountCopy::begin() {
  CB_ASSIGN(const SourceRecords records, parts_.source->records(theirs_.repository));
  if (records.record.id != theirs_.repository || records.record.root != theirs_.root ||
      records.account.name != theirs_.account)
    return failed(Code::corrupt, name(), "is shown with the records of another");
  CB_TRY(make_account(parts_.members, records.account));
  return replicas().begin(records.record, theirs_.account,
                          {parts_.source_name, theirs_.chain_key, parts_.keeps_removed});
}

// Does the source's chain go on from what is here?
Status AccountCopy::check_chain() {
  CB_ASSIGN(const auto head, engine().head(theirs_.repository));
  if (theirs_.head < head.sequence)
    return failed(Code::denied, name(),
                  "ends with commit " + std::to_string(theirs_.head) + " there, and with " +
                      std::to_string(head.sequence) + " here: the source went back",
                  kAskOperator);
  if (head.sequence == 0) return {};
  CB_ASSIGN(const auto page, parts_.source->chain(theirs_.repository, head.sequence));
  const bool is_same = !page.commits.empty() &&
                       identity::sha256(page.commits.front()) == head.hash.bytes &&
                       (theirs_.head != head.sequence || theirs_.head_hash == head.hash);
  if (is_same) return {};
  return failed(Code::denied, name(),
                "has another commit " + std::to_string(head.sequence) +
                    " there than here: the "
                    "chain forked",
                kAskOperator);
}

// How much more may be stored for the account. What is here counts with what is dead in it, until a
// collection takes that.
Status AccountCopy::measure_room() {
  if (parts_.most_stored == 0) return {};
  catalog::Catalog& catalog = *parts_.members.catalog;
  CB_ASSIGN(const auto account, catalog.accounts().account_by_name(theirs_.account));
  if (!account) return failed(Code::not_found, name(), "is not here");
  CB_ASSIGN(const auto rows, catalog.limits().usage(account->number));
  uint64_t stored = 0;
  for (const catalog::UsageRow& row : rows) stored += row.pack_bytes + row.record_bytes;
  blobs_.set_room(parts_.most_stored - std::min(stored, parts_.most_stored));
  return {};
}

Status AccountCopy::take_records() {
  CB_ASSIGN(const SourceRecords records, parts_.source->records(theirs_.repository));
  if (records.record.id != theirs_.repository || records.account.name != theirs_.account)
    return failed(Code::corrupt, name(), "is shown with the records of another");
  CB_TRY(replicas().take_record(records.record, records.slots));
  CB_ASSIGN(const auto devices, parts_.source->devices(theirs_.repository));
  return take_members(parts_.members, records.record, records.account, devices);
}

// --- the chain -----------------------------------------------------------------------------------

// A source may make its chain as long as it likes, so a page waits for its turn as blobs do.
Result<repository::ChainPage> AccountCopy::page_of_chain(uint64_t next) {
  if (!parts_.goes_on()) return failed(was_stopped());
  CB_ASSIGN(auto page, parts_.source->chain(theirs_.repository, next));
  if (page.commits.empty())
    return failed(Code::corrupt, name(), "lacks commit " + std::to_string(next) + " there");
  uint64_t bytes = 0;
  for (const Bytes& encoded : page.commits) bytes += encoded.size();
  if (!parts_.pace->spend(bytes)) return failed(was_stopped());
  return page;
}

Status AccountCopy::each_commit(const Stretch& stretch, const VisitCommit& visit) {
  for (uint64_t done = stretch.after; done < stretch.last;) {
    CB_ASSIGN(const auto page, page_of_chain(done + 1));
    for (const Bytes& encoded : page.commits) {
      if (done == stretch.last) return {};
      CB_ASSIGN(const CommitRecord commit, repository::decode_commit(encoded));
      if (commit.sequence != done + 1)
        return failed(Code::corrupt, name(), "has its commits out of order there");
      CB_TRY(visit(encoded, commit));
      ++done;
    }
  }
  return {};
}

// Nothing is remembered that the source has not signed, one record after the other.
Status AccountCopy::note_removals(const Stretch& stretch, repository::CommitHash previous) {
  return each_commit(stretch, [&](const Bytes& encoded, const CommitRecord& commit) -> Status {
    if (commit.previous != previous)
      return failed(Code::corrupt, "commit " + std::to_string(commit.sequence),
                    "does not follow the one before it", kAskOperator);
    CB_TRY(repository::verify_commit(commit, theirs_.repository, theirs_.chain_key));
    previous.bytes = identity::sha256(encoded);
    if (commit.type == CommitType::removal) removed_.insert(commit.snapshot);
    return {};
  });
}

// Twice over what is new: what was removed since is not looked for.
Status AccountCopy::take_chain() {
  CB_ASSIGN(const auto head, engine().head(theirs_.repository));
  const uint64_t ahead = theirs_.head - std::min(head.sequence, theirs_.head);
  const uint64_t most = std::min(ahead, parts_.most_commits);
  const Stretch stretch{head.sequence, head.sequence + most};
  removed_.clear();
  CB_TRY(note_removals(stretch, head.hash));
  CB_TRY(each_commit(stretch, [this](const Bytes& encoded, const CommitRecord& commit) {
    return take_commit(encoded, commit);
  }));
  counts_.left = ahead - most;
  return {};
}

Status AccountCopy::take_commit(const Bytes& encoded, const CommitRecord& commit) {
  Presence presence = Presence::here;
  if (commit.type == CommitType::commit) {
    const bool was_removed = removed_.contains(commit.snapshot);
    bool is_whole = false;
    if (!was_removed) {
      CB_ASSIGN(is_whole, bring_below(commit.snapshot, commit.root, commit.device));
    }
    if (!is_whole) presence = Presence::absent;
  }
  CB_ASSIGN(const auto missing, replicas().take_commit(theirs_.repository, encoded, presence));
  // A collection was faster than the commit: what it took comes with the next run.
  if (!missing.empty())
    CB_TRY(replicas().take_commit(theirs_.repository, encoded, Presence::absent));
  ++counts_.commits;
  return {};
}

// False when the source has not all of it.
Result<bool> AccountCopy::bring_below(const BlobId& snapshot, const BlobId& root,
                                      const repository::DeviceId& device) {
  CB_ASSIGN(const repository::Viewer viewer, engine().viewer(device));
  ClosureCopy closure(replicas(), blobs_, theirs_.repository, viewer);
  const std::array<BlobId, 2> from = {snapshot, root};
  CB_ASSIGN(const auto lacking, closure.bring(from));
  return lacking.empty();
}

Status AccountCopy::bring_absent() {
  CB_ASSIGN(const auto absent, replicas().absent(theirs_.repository));
  for (const repository::AbsentCopy& one : absent) {
    CB_ASSIGN(const bool is_whole, bring_below(one.snapshot, one.root, one.device));
    if (is_whole) CB_TRY(replicas().bring(theirs_.repository, one.snapshot));
    counts_.lacking += is_whole ? 0 : 1;
  }
  return {};
}

// What rotation replaced at the source. Of what it did not get to, it is asked again next time.
Status AccountCopy::renew_sessions() {
  CB_ASSIGN(const auto record, engine().record(theirs_.repository));
  const uint32_t newest = record.epochs.back().number;
  repository::SessionId after;
  for (;;) {
    CB_ASSIGN(const auto old,
              engine().sessions(theirs_.repository, newest, after, kSessionsAtOnce));
    if (old.empty()) return {};
    std::vector<BlobId> ids;
    for (const auto& entry : old) ids.push_back(repository::blob_of(entry.session));
    after = old.back().session;
    CB_ASSIGN(const auto viewers, replicas().viewers(theirs_.repository));
    for (const repository::Viewer& viewer : viewers) {
      if (ids.empty()) break;
      CB_ASSIGN(ids, blobs_.fetch(viewer, ids, [](const repository::BlobHead&) {}));
    }
    if (old.size() < kSessionsAtOnce) return blobs_.flush();
  }
}

// --- healing -------------------------------------------------------------------------------------

Status AccountCopy::heal() {
  CB_ASSIGN(const auto record, engine().record(theirs_.repository));
  if (record.root != theirs_.root)
    return failed(Code::auth, name(), "is another owner's than that here");
  blobs_.set_room({});
  CB_ASSIGN(const auto origin, replicas().origin(theirs_.repository));
  const bool trusts = origin && origin->source == parts_.source_name;
  CB_ASSIGN(const auto viewers, replicas().viewers(theirs_.repository));
  for (const repository::Viewer& viewer : viewers) CB_TRY(heal_for(viewer, trusts));
  return {};
}

// A blob that comes in the place of a damaged one is wanted no more, and nobody here can tell
// whether it is right. So of a server that is not the source at least its shape must be.
Status AccountCopy::heal_for(const repository::Viewer& viewer, bool trusts) {
  BlobId after;
  for (bool last = false; !last;) {
    CB_ASSIGN(const auto page, engine().wanted(theirs_.repository, viewer, after, kWantedAtOnce));
    last = page.last || page.blobs.empty();
    if (page.blobs.empty()) break;
    std::vector<BlobId> ids;
    for (const repository::WantedBlob& blob : page.blobs) ids.push_back(blob.id);
    after = ids.back();
    ArrivingBlobs::Takes takes;
    if (!trusts) {
      CB_ASSIGN(auto damaged, DamagedBlobs::find(*parts_.members.catalog, theirs_.repository, ids));
      takes = [damaged = std::move(damaged)](const repository::BlobHead& head, bool is_open) {
        return damaged.look_like(head, is_open);
      };
    }
    const auto came = [this](const repository::BlobHead&) { ++counts_.healed; };
    CB_TRY(blobs_.fetch(viewer, ids, came, takes));
  }
  // What an owner's copy heals the next viewer does not want any more.
  return blobs_.flush();
}

}  // namespace cb::replication
