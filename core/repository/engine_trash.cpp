// SPDX-License-Identifier: Apache-2.0
#include "core/repository/engine_trash.h"

#include "core/base/trial.h"

#include <map>
#include <unordered_map>

namespace cb::repository {
namespace {

constexpr size_t kCommitPage = 512;

Result<CommitRecord> removal_of(catalog::Index& index, int64_t repository, const BlobId& snapshot) {
  CB_ASSIGN(const auto there, index.snapshot(repository, snapshot.bytes));
  if (!there)
    return failed(Code::not_found, "snapshot " + snapshot.hex(), "is not in this repository");
  if (!there->in_trash)
    return failed(Code::state, "snapshot " + snapshot.hex(), "is not in the trash",
                  "only what lies there is removed");
  CB_ASSIGN(const CommitRecord committed, decode_commit(there->record));
  CommitRecord draft;
  draft.type = CommitType::removal;
  draft.snapshot = snapshot;
  draft.root = committed.root;
  draft.source = committed.source;
  return draft;
}

// Goes through the chain once: since when each snapshot is in the trash.
class TrashTimes {
 public:
  explicit TrashTimes(catalog::Accounts& accounts) : accounts_(accounts) {}

  Status add(const CommitRecord& record) {
    last_ns_ = record.time_ns;
    if (record.type == CommitType::commit) return {};
    CB_ASSIGN(const bool moves, may_move(record));
    if (!moves) return {};
    if (record.type == CommitType::forget)
      since_.try_emplace(record.snapshot, record.time_ns);
    else
      since_.erase(record.snapshot);
    return {};
  }
  // Where no record tells, the chain's end: no snapshot is removed for want of a record.
  [[nodiscard]] int64_t since(const BlobId& snapshot) const {
    const auto found = since_.find(snapshot);
    return found == since_.end() ? last_ns_ : found->second;
  }

 private:
  Result<bool> may_move(const CommitRecord& record) {
    if (record.type == CommitType::removal) return true;
    const auto known = moves_.find(record.device);
    if (known != moves_.end()) return known->second;
    CB_ASSIGN(const bool moves, may_move_to_trash(accounts_, record.device));
    moves_.emplace(record.device, moves);
    return moves;
  }

  catalog::Accounts& accounts_;
  std::map<DeviceId, bool> moves_;
  std::unordered_map<BlobId, int64_t, IdHash> since_;
  int64_t last_ns_ = 0;
};

}  // namespace

Result<CommitRecord> remove_snapshot(EngineParts& engine, CommitChain& chain,
                                     const BlobId& snapshot) {
  const std::lock_guard lock(chain.mutex);
  for (bool again = false;; again = true) {
    CB_ASSIGN(CommitRecord draft, removal_of(engine.index(), chain.number(), snapshot));
    CB_TRY(engine.parts.random->fill(draft.commit_id.bytes));
    auto record = chain.append(std::move(draft), {});
    if (record) trial::passed("trash.removed");
    if (record || again || record.error().code != Code::exists) return record;
    CB_TRY(chain.load());
  }
}

Result<std::vector<Engine::Trashed>> list_trash(EngineParts& engine, CommitChain& chain) {
  catalog::Index& index = engine.index();
  CB_ASSIGN(const auto snapshots, index.snapshots(chain.number(), true));
  std::vector<Engine::Trashed> trash;
  for (const catalog::SnapshotRow& row : snapshots) {
    if (!row.in_trash) continue;
    CB_ASSIGN(const CommitRecord record, decode_commit(row.record));
    trash.push_back({record.snapshot, 0});
  }
  if (trash.empty()) return trash;
  TrashTimes times(engine.parts.catalog->accounts());
  for (uint64_t next = 1;;) {
    CB_ASSIGN(const auto rows, index.commits(chain.number(), next, kCommitPage));
    for (const catalog::CommitRow& row : rows) {
      CB_ASSIGN(const CommitRecord record, decode_commit(row.record));
      CB_TRY(times.add(record));
    }
    if (rows.size() < kCommitPage) break;
    next = rows.back().sequence + 1;
  }
  for (Engine::Trashed& one : trash) one.since_ns = times.since(one.snapshot);
  return trash;
}

}  // namespace cb::repository
