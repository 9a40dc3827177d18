// SPDX-License-Identifier: Apache-2.0
//
// See replicas.h; engine_replica_checks.cpp judges what comes.
#include "core/repository/engine_replica.h"

#include <algorithm>
#include <set>

#include "core/repository/engine_closure.h"
#include "core/repository/engine_records.h"
#include "core/repository/intake.h"
#include "core/repository/signatures.h"

namespace cb::repository {
namespace {

Error no_copy(const RepositoryId& repository) {
  return fail(Code::denied, "repository " + repository.hex(), "is this server's own, and no copy");
}

catalog::ReplicaRow row_of(int64_t number, const Origin& origin) {
  return {number, origin.source, origin.server_key, origin.keeps_removed};
}

class EngineReplicas final : public Replicas {
 public:
  explicit EngineReplicas(std::shared_ptr<EngineParts> engine) : engine_(std::move(engine)) {}

  Result<std::optional<Origin>> origin(const RepositoryId& repository) override;
  Status begin(const RepositoryRecord& record, const std::string& account,
               const Origin& origin) override;
  Status set_origin(const RepositoryId& repository, const Origin& origin) override;
  Status take_record(const RepositoryRecord& record, const std::vector<KeySlot>& slots) override;
  Result<std::vector<BlobId>> take_commit(const RepositoryId& repository, ByteView record,
                                          Presence presence) override;
  Result<std::unique_ptr<Intake>> intake(const RepositoryId& repository,
                                         const Viewer& viewer) override;
  Result<std::vector<AbsentCopy>> absent(const RepositoryId& repository) override;
  Result<std::vector<BlobId>> bring(const RepositoryId& repository,
                                    const BlobId& snapshot) override;
  Status drop(const RepositoryId& repository, const BlobId& snapshot) override;
  Result<uint64_t> drop_removed(const RepositoryId& repository) override;
  Result<std::vector<SnapshotInfo>> snapshots(const RepositoryId& repository, bool with_trash,
                                              bool with_kept) override;
  Result<std::vector<std::optional<CopiedBlob>>> look_up(const RepositoryId& repository,
                                                         const Viewer& viewer,
                                                         std::span<const BlobId> ids) override;
  Result<std::vector<Viewer>> viewers(const RepositoryId& repository) override;
  Result<std::vector<BlobId>> sessions_of(const RepositoryId& repository, const Viewer& viewer,
                                          std::span<const BlobId> ids) override;

 private:
  catalog::Index& index() { return engine_->index(); }
  catalog::Replication& rows() { return engine_->parts.catalog->replication(); }
  Result<std::shared_ptr<CommitChain>> copy(const RepositoryId& repository);
  Status keep_note(const CommitChain& chain, const std::optional<BlobId>& also_dropped = {});
  Result<ClosureWalk> walk(const CommitChain& chain, const CommitRecord& commit);
  Status take_wish(CommitChain& chain, const CommitRecord& commit, ByteView record);
  Result<bool> is_removed(const CommitChain& chain, const BlobId& snapshot);
  Result<std::vector<SnapshotInfo>> own_snapshots(const CommitChain& chain, bool with_trash);
  Status add_absent(const CommitChain& chain, bool with_trash, std::vector<SnapshotInfo>& all);
  Result<std::optional<CommitRecord>> absent_commit(const CommitChain& chain,
                                                    const catalog::AbsentSnapshot& absent);

  std::shared_ptr<EngineParts> engine_;
};

// A chain that is no copy is Code::denied.
Result<std::shared_ptr<CommitChain>> EngineReplicas::copy(const RepositoryId& repository) {
  CB_ASSIGN(auto chain, engine_->chain(repository));
  const std::lock_guard lock(chain->mutex);
  if (!chain->origin()) return failed(no_copy(repository));
  return chain;
}

Result<std::optional<Origin>> EngineReplicas::origin(const RepositoryId& repository) {
  CB_ASSIGN(const int64_t number, number_of(index(), repository));
  CB_ASSIGN(const auto row, rows().replica(number));
  if (!row) return std::nullopt;
  return Origin{row->source, row->server_key, row->keeps_removed};
}

// What a rebuilt catalog is to know: as the catalog says, before or after a change of it.
Status EngineReplicas::keep_note(const CommitChain& chain,
                                 const std::optional<BlobId>& also_dropped) {
  CB_ASSIGN(const auto row, rows().replica(chain.number()));
  if (!row) return failed(no_copy(chain.id()));
  ReplicaRecord note{row->source, row->server_key, row->keeps_removed, {}};
  std::set<BlobId> dropped;
  if (also_dropped) dropped.insert(*also_dropped);
  CB_ASSIGN(const auto absent, rows().absent(chain.number()));
  for (const catalog::AbsentSnapshot& one : absent)
    if (one.dropped) dropped.insert(BlobId{one.snapshot});
  note.dropped.assign(dropped.begin(), dropped.end());
  const Bytes encoded = encode(note);
  const std::string object = replica_object(chain.id());
  const auto kept = read_object(*engine_->parts.store, object, kMostRecordBytes);
  if (kept && *kept == encoded) return {};
  return write_object(*engine_->parts.store, object, encoded, false);
}

// In the store the record is alone until the catalog has its row: a crash leaves what the next
// start removes.
Status EngineReplicas::begin(const RepositoryRecord& record, const std::string& account,
                             const Origin& origin) {
  CB_TRY(verify_record(record, record.root));
  const auto there = number_of(index(), record.id);
  if (there) return failed(Code::exists, "repository " + record.id.hex(), "is here already");
  if (there.error().code != Code::not_found) return failed(there.error());
  CB_ASSIGN(const auto found, engine_->parts.catalog->accounts().account_by_name(account));
  if (!found) return failed(Code::not_found, "account " + account, "is not in the catalog");
  const Bytes encoded = encode(record);
  CB_TRY(write_object(*engine_->parts.store, record_object(record.id), encoded, false));
  CB_TRY(rows().add_replica(record.id.bytes, account, encoded, row_of(0, origin)));
  CB_ASSIGN(const auto chain, copy(record.id));
  CB_TRY(write_object(*engine_->parts.store, repository_prefix(record.id) + "account",
                      encode(note_of(*found)), false));
  return keep_note(*chain);
}

Status EngineReplicas::set_origin(const RepositoryId& repository, const Origin& origin) {
  CB_ASSIGN(const auto chain, copy(repository));
  const std::lock_guard lock(chain->mutex);
  if (origin.server_key != chain->origin()->server_key)
    return failed(Code::denied, "repository " + repository.hex(),
                  "was copied from a server that signs with another key");
  const catalog::ReplicaRow row = row_of(chain->number(), origin);
  const catalog::ReplicaRow& now = *chain->origin();
  if (row.source != now.source || row.keeps_removed != now.keeps_removed) {
    CB_TRY(rows().set_replica(row));
    CB_TRY(chain->learn_origin());
  }
  return keep_note(*chain);
}

Status EngineReplicas::take_record(const RepositoryRecord& record,
                                   const std::vector<KeySlot>& slots) {
  CB_ASSIGN(const auto chain, copy(record.id));
  CB_ASSIGN(const auto row, index().repository(record.id.bytes));
  if (!row) return failed(no_copy(record.id));
  CB_ASSIGN(const RepositoryRecord current, decode_repository(row->record));
  CB_TRY(check_record_of_copy(current, record));
  CB_ASSIGN(const auto encoded, index().slots(chain->number()));
  std::vector<KeySlot> here;
  for (const Bytes& one : encoded) {
    CB_ASSIGN(here.emplace_back(), decode_slot(one));
  }
  CB_ASSIGN(const auto all, slots_of_copy(current, record, {here, slots}));
  if (all == here && row->record == encode(record)) return {};
  return replace_record(*engine_, *chain, record, all);
}

// --- the chain -----------------------------------------------------------------------------------

Result<ClosureWalk> EngineReplicas::walk(const CommitChain& chain, const CommitRecord& commit) {
  CB_ASSIGN(const Viewer viewer, engine_->viewer_of(commit.device));
  CB_ASSIGN(const int64_t domain, engine_->domain_of(chain, viewer));
  ClosureWalk walked(index(), chain.number(), {domain}, ClosureWalk::Trust::closed);
  CB_TRY(walked.walk(commit.snapshot));
  CB_TRY(walked.walk(commit.root));
  return walked;
}

Result<bool> EngineReplicas::is_removed(const CommitChain& chain, const BlobId& snapshot) {
  CB_ASSIGN(const auto removal, index().commit_of(chain.number(), snapshot.bytes,
                                                  static_cast<uint8_t>(CommitType::removal)));
  return removal.has_value();
}

// What is absent lies where the wish puts it, too; and is absent no more once it was removed.
Status EngineReplicas::take_wish(CommitChain& chain, const CommitRecord& commit, ByteView record) {
  CB_ASSIGN(auto absent, rows().absent(chain.number(), commit.snapshot.bytes));
  const bool removes = commit.type == CommitType::removal;
  CB_ASSIGN(const bool moves, may_move_to_trash(engine_->parts.catalog->accounts(), commit.device));
  if (absent && !removes && moves) {
    absent->in_trash = commit.type == CommitType::forget;
    CB_TRY(rows().set_absent(chain.number(), *absent));
  }
  CB_TRY(chain.take(record, {}));
  if (!absent || !removes) return {};
  CB_TRY(rows().clear_absent(chain.number(), commit.snapshot.bytes));
  return absent->dropped ? keep_note(chain) : Status();
}

Result<std::vector<BlobId>> EngineReplicas::take_commit(const RepositoryId& repository,
                                                        ByteView record, Presence presence) {
  CB_ASSIGN(const auto chain, copy(repository));
  const std::lock_guard lock(chain->mutex);
  CB_ASSIGN(const CommitRecord commit, decode_commit(record));
  CB_TRY(check_commit_of_copy(*engine_, *chain, commit));
  if (commit.type != CommitType::commit) {
    CB_TRY(take_wish(*chain, commit, record));
    return std::vector<BlobId>();
  }
  if (presence == Presence::absent) {
    CB_TRY(rows().set_absent(chain->number(), {commit.snapshot.bytes, false, false}));
    CB_TRY(chain->take(record, {}));
    return std::vector<BlobId>();
  }
  CB_ASSIGN(const ClosureWalk walked, walk(*chain, commit));
  if (!walked.missing().empty()) return walked.missing();
  CB_TRY(rows().clear_absent(chain->number(), commit.snapshot.bytes));
  catalog::CommitEffect effect;
  effect.walked = walked.walked();
  CB_TRY(chain->take(record, effect));
  return std::vector<BlobId>();
}

Result<std::unique_ptr<Intake>> EngineReplicas::intake(const RepositoryId& repository,
                                                       const Viewer& viewer) {
  CB_ASSIGN(auto chain, engine_->chain(repository));
  CB_ASSIGN(const int64_t domain, engine_->domain_of(*chain, viewer));
  return std::make_unique<PackIntake>(engine_, std::move(chain), viewer.device, domain, false,
                                      nullptr);
}

// The commit of what is absent; nothing for what a crash left there: it came, or was removed.
Result<std::optional<CommitRecord>> EngineReplicas::absent_commit(
    const CommitChain& chain, const catalog::AbsentSnapshot& absent) {
  const BlobId snapshot{absent.snapshot};
  CB_ASSIGN(const auto row, index().commit_of(chain.number(), absent.snapshot,
                                              static_cast<uint8_t>(CommitType::commit)));
  CB_ASSIGN(const auto there, index().snapshot(chain.number(), absent.snapshot));
  CB_ASSIGN(const bool removed, is_removed(chain, snapshot));
  if (!row || there || removed) return std::nullopt;
  CB_ASSIGN(CommitRecord commit, decode_commit(row->record));
  return commit;
}

Result<std::vector<AbsentCopy>> EngineReplicas::absent(const RepositoryId& repository) {
  CB_ASSIGN(const auto chain, copy(repository));
  CB_ASSIGN(const auto all, rows().absent(chain->number()));
  std::vector<AbsentCopy> found;
  for (const catalog::AbsentSnapshot& one : all) {
    if (one.dropped) continue;
    CB_ASSIGN(const auto commit, absent_commit(*chain, one));
    if (commit) found.push_back({commit->snapshot, commit->root, commit->device});
  }
  return found;
}

Result<std::vector<BlobId>> EngineReplicas::bring(const RepositoryId& repository,
                                                  const BlobId& snapshot) {
  CB_ASSIGN(const auto chain, copy(repository));
  const std::lock_guard lock(chain->mutex);
  CB_ASSIGN(const auto row, index().commit_of(chain->number(), snapshot.bytes,
                                              static_cast<uint8_t>(CommitType::commit)));
  if (!row) return failed(Code::not_found, "snapshot " + snapshot.hex(), "is of no commit here");
  CB_ASSIGN(const CommitRecord commit, decode_commit(row->record));
  CB_ASSIGN(const ClosureWalk walked, walk(*chain, commit));
  if (!walked.missing().empty()) return walked.missing();
  CB_TRY(rows().bring_snapshot(chain->number(), snapshot.bytes, walked.walked()));
  return std::vector<BlobId>();
}

// --- what is here --------------------------------------------------------------------------------

Status EngineReplicas::drop(const RepositoryId& repository, const BlobId& snapshot) {
  CB_ASSIGN(const auto chain, copy(repository));
  const std::lock_guard lock(chain->mutex);
  CB_ASSIGN(const bool removed, is_removed(*chain, snapshot));
  CB_TRY(keep_note(*chain, snapshot));
  CB_TRY(rows().drop_snapshot(chain->number(), snapshot.bytes));
  if (!removed) return {};
  CB_TRY(rows().clear_absent(chain->number(), snapshot.bytes));
  return keep_note(*chain);
}

Result<uint64_t> EngineReplicas::drop_removed(const RepositoryId& repository) {
  CB_ASSIGN(const auto chain, copy(repository));
  CB_ASSIGN(const auto here, index().snapshots(chain->number(), true));
  uint64_t dropped = 0;
  for (const catalog::SnapshotRow& row : here) {
    CB_ASSIGN(const CommitRecord commit, decode_commit(row.record));
    CB_ASSIGN(const bool removed, is_removed(*chain, commit.snapshot));
    if (!removed) continue;
    CB_TRY(drop(repository, commit.snapshot));
    ++dropped;
  }
  return dropped;
}

Result<std::vector<SnapshotInfo>> EngineReplicas::own_snapshots(const CommitChain& chain,
                                                                bool with_trash) {
  CB_ASSIGN(const auto here, index().snapshots(chain.number(), with_trash));
  std::vector<SnapshotInfo> all;
  all.reserve(here.size());
  for (const catalog::SnapshotRow& row : here) {
    CB_ASSIGN(CommitRecord commit, decode_commit(row.record));
    all.push_back({std::move(commit), row.in_trash, Presence::here});
  }
  return all;
}

Status EngineReplicas::add_absent(const CommitChain& chain, bool with_trash,
                                  std::vector<SnapshotInfo>& all) {
  CB_ASSIGN(const auto absent, rows().absent(chain.number()));
  for (const catalog::AbsentSnapshot& one : absent) {
    if (one.in_trash && !with_trash) continue;
    CB_ASSIGN(auto commit, absent_commit(chain, one));
    if (commit) all.push_back({std::move(*commit), one.in_trash, Presence::absent});
  }
  return {};
}

Result<std::vector<SnapshotInfo>> EngineReplicas::snapshots(const RepositoryId& repository,
                                                            bool with_trash, bool with_kept) {
  CB_ASSIGN(const auto chain, engine_->chain(repository));
  CB_ASSIGN(const auto origin_row, rows().replica(chain->number()));
  if (!origin_row) return own_snapshots(*chain, with_trash);
  CB_ASSIGN(const auto here, index().snapshots(chain->number(), with_trash || with_kept));
  std::vector<SnapshotInfo> all;
  for (const catalog::SnapshotRow& row : here) {
    CB_ASSIGN(CommitRecord commit, decode_commit(row.record));
    CB_ASSIGN(const bool removed, is_removed(*chain, commit.snapshot));
    if (removed ? !with_kept : row.in_trash && !with_trash) continue;
    const bool is_kept = removed || (with_kept && row.in_trash);
    all.push_back({std::move(commit), row.in_trash, is_kept ? Presence::kept : Presence::here});
  }
  CB_TRY(add_absent(*chain, with_trash, all));
  std::sort(all.begin(), all.end(), [](const SnapshotInfo& a, const SnapshotInfo& b) {
    return a.commit.sequence < b.commit.sequence;
  });
  return all;
}

Result<std::vector<std::optional<CopiedBlob>>> EngineReplicas::look_up(
    const RepositoryId& repository, const Viewer& viewer, std::span<const BlobId> ids) {
  CB_ASSIGN(const auto chain, engine_->chain(repository));
  CB_ASSIGN(const int64_t domain, engine_->domain_of(*chain, viewer));
  CB_ASSIGN(const auto links, index().links(chain->number(), {domain}, bytes_of(ids)));
  std::vector<std::optional<CopiedBlob>> found(links.size());
  for (size_t i = 0; i < links.size(); ++i) {
    if (!links[i]) continue;
    CopiedBlob& blob = found[i].emplace();
    const Bytes& children = links[i]->children;
    blob.is_closed = links[i]->closed || children.empty();
    for (size_t at = 0; at < children.size(); at += BlobId::kSize)
      std::copy_n(children.begin() + static_cast<ptrdiff_t>(at), BlobId::kSize,
                  blob.children.emplace_back().bytes.begin());
  }
  return found;
}

Result<std::vector<Viewer>> EngineReplicas::viewers(const RepositoryId& repository) {
  CB_ASSIGN(const auto row, index().repository(repository.bytes));
  if (!row)
    return failed(Code::not_found, "repository " + repository.hex(), "is not in the catalog");
  CB_ASSIGN(const auto devices, engine_->parts.catalog->accounts().devices(row->account));
  std::vector<Viewer> all = {Viewer{}};
  bool has_shared = false;
  for (const catalog::Device& device : devices) {
    CB_ASSIGN(const Viewer viewer, engine_->viewer_of(DeviceId{device.id}));
    if (viewer.role != Role::writer || (viewer.shares_dedup && has_shared)) continue;
    has_shared = has_shared || viewer.shares_dedup;
    all.push_back(viewer);
  }
  return all;
}

Result<std::vector<BlobId>> EngineReplicas::sessions_of(const RepositoryId& repository,
                                                        const Viewer& viewer,
                                                        std::span<const BlobId> ids) {
  CB_ASSIGN(const auto chain, engine_->chain(repository));
  CB_ASSIGN(const int64_t domain, engine_->domain_of(*chain, viewer));
  CB_ASSIGN(const auto places, index().places_in(chain->number(), domain, bytes_of(ids)));
  std::set<BlobId> sessions;
  for (const catalog::BlobPlace& place : places)
    if (const SessionId session{place.session}; !session.is_zero())
      sessions.insert(blob_of(session));
  return std::vector<BlobId>(sessions.begin(), sessions.end());
}

}  // namespace

std::string replica_object(const RepositoryId& repository) {
  return repository_prefix(repository) + "replica";
}

std::unique_ptr<Replicas> make_replicas(std::shared_ptr<EngineParts> engine) {
  return std::make_unique<EngineReplicas>(std::move(engine));
}

}  // namespace cb::repository
