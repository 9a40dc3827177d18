// SPDX-License-Identifier: Apache-2.0
//
// What lives: see collection_run.h.
#include <map>

#include "core/repository/collection_run.h"

namespace cb::repository {

// What came before this is old: by the wall clock, since packs may be of an earlier process.
int64_t CollectionRun::old_until() const {
  auto keep = options_.keep_uncommitted;
  if (const auto oldest = chain_.leases.oldest())
    keep = std::max(keep, engine_.parts.clock->monotonic() - *oldest);
  return now() - keep.count();
}

Status CollectionRun::list_packs() {
  const int64_t until = old_until();
  for (int64_t after = 0;;) {
    CB_ASSIGN(const auto packs, rows_.packs(chain_.number(), after, kListedAtOnce));
    for (const catalog::HeldPack& pack : packs) {
      after = pack.number;
      if (pack.owner != 0 || pack.created_ns > until) {
        young_.push_back(pack.number);
        looked_at_.insert(PackName{pack.name});
        continue;
      }
      old_.push_back({pack.number, PackName{pack.name}, pack.size, pack.retired_ns, 0, 0});
      old_numbers_.add(pack.number);
      newest_old_ = pack.number;
    }
    if (packs.size() < kListedAtOnce) return {};
  }
}

// What comes into the catalog after this is found by look().
Status CollectionRun::begin() {
  const std::lock_guard lock(chain_.mutex);
  CB_TRY(chain_.load());
  chain_.is_collecting = true;
  sequence_ = chain_.head().sequence;
  CB_ASSIGN(const auto snapshots, engine_.index().snapshots(chain_.number(), true));
  for (const catalog::SnapshotRow& row : snapshots) {
    CB_ASSIGN(const CommitRecord record, decode_commit(row.record));
    roots_.push_back({record.snapshot, record.root, record.device});
  }
  CB_TRY(list_packs());
  steps_ = 2 * roots_.size() + young_.size() + 3 * old_.size();
  return {};
}

// What of it is missing and has no row at all? (A condemned one has, with its children.)
Status CollectionRun::check_whole(const Root& root, ClosureWalk& walk, int64_t domain) {
  const size_t known = walk.missing().size();
  CB_TRY(walk.walk(root.snapshot));
  CB_TRY(walk.walk(root.root));
  const auto missing = bytes_of(std::span(walk.missing()).subspan(known));
  CB_ASSIGN(const auto gone, rows_.rows_of(chain_.number(), missing, [](const auto&) {}));
  if (gone.empty()) return {};
  lacking_.insert(domain);
  const std::string what =
      "needs " + BlobId{gone.front()}.hex() + ", which the catalog does not have";
  collected_.lacking.push_back("snapshot " + root.snapshot.hex() + " " + what);
  if (domain != catalog::kOpenDomain) return {};
  return failed(Code::state, "snapshot " + root.snapshot.hex(), what + ": nothing was collected",
                "bring back the packs that are missing and run rebuild-catalog, or remove the "
                "snapshots that check names");
}

// What hangs below a blob that the catalog does not have nobody knows: then nothing that such a
// snapshot leans on is dead for sure. (The catalog is an old copy, or was rebuilt from a store that
// lacks packs.) A device that cheats gets into this state, too, and must not stop the others.
Status CollectionRun::check_whole() {
  std::map<int64_t, ClosureWalk> walks;
  for (const Root& root : roots_) {
    CB_ASSIGN(const Viewer viewer, engine_.viewer_of(root.device));
    CB_ASSIGN(const int64_t domain, engine_.domain_of(chain_, viewer));
    const ClosureWalk begun(engine_.index(), chain_.number(), {domain}, ClosureWalk::Trust::closed);
    CB_TRY(check_whole(root, walks.try_emplace(domain, begun).first->second, domain));
    CB_TRY(step());
  }
  return {};
}

Status CollectionRun::mark_roots() {
  mark_.set_between([this] { rest(); });
  for (const Root& root : roots_) {
    CB_TRY(mark_.from(root.snapshot));
    CB_TRY(mark_.from(root.root));
    CB_TRY(step());
  }
  for (const int64_t pack : young_) {
    CB_TRY(mark_.from_pack(pack));
    CB_TRY(step());
  }
  // What comes later is marked with locks held.
  mark_.set_between({});
  return look();
}

// Packs that came since the beginning. (The number of one that is gone may be given again, but
// those that were there then and had higher ones were looked at by name.)
Status CollectionRun::mark_new_packs() {
  for (int64_t after = newest_old_;;) {
    CB_ASSIGN(const auto packs, rows_.packs(chain_.number(), after, kListedAtOnce));
    for (const catalog::HeldPack& pack : packs) {
      after = pack.number;
      if (looked_at_.contains(PackName{pack.name})) continue;
      CB_TRY(mark_.from_pack(pack.number));
      looked_at_.insert(PackName{pack.name});
    }
    if (packs.size() < kListedAtOnce) return {};
  }
}

// By the records, not by the list of snapshots: one that was removed meanwhile may have closed
// blobs.
Status CollectionRun::mark_new_commits() {
  for (;;) {
    CB_ASSIGN(const auto rows,
              engine_.index().commits(chain_.number(), sequence_ + 1, kListedAtOnce));
    for (const catalog::CommitRow& row : rows) {
      CB_ASSIGN(const CommitRecord record, decode_commit(row.record));
      if (record.type == CommitType::commit) {
        CB_TRY(mark_.from(record.snapshot));
        CB_TRY(mark_.from(record.root));
      }
      sequence_ = row.sequence;
    }
    if (rows.size() < kListedAtOnce) return {};
  }
}

Status CollectionRun::look() {
  CB_TRY(mark_new_packs());
  return mark_new_commits();
}

// The rows of a pack, with the weak ones of them marked that live by now.
Result<std::vector<catalog::HeldBlob>> CollectionRun::rows_in(const OldPack& pack) {
  CB_ASSIGN(auto blobs, rows_.rows_in(pack.number));
  CB_TRY(weak_.mark_living(blobs));
  return blobs;
}

// Counts what is dead.
Status CollectionRun::count_pack(OldPack& pack, Odd& odd) {
  CB_ASSIGN(const auto blobs, rows_in(pack));
  uint64_t dead_bytes = 0;
  for (const catalog::HeldBlob& blob : blobs) {
    collected_.bytes += blob.size;
    if (mark_.is_marked(blob.number)) {
      if (is_weak(static_cast<BlobKind>(blob.kind)) && blob.condemned_ns > 0)
        odd.condemned.push_back({blob.number, pack.number});
      continue;
    }
    ++pack.dead;
    pack.weak += is_weak(static_cast<BlobKind>(blob.kind)) ? 1 : 0;
    dead_bytes += blob.size;
    if (blob.closed && blob.child_count > 0) odd.closed.push_back(blob.number);
  }
  pack.rows = static_cast<uint32_t>(blobs.size());
  collected_.blobs += pack.rows;
  collected_.dead += pack.dead;
  collected_.dead_bytes += dead_bytes;
  if (pack.rows == pack.dead) collected_.freeable_bytes += pack.size;
  return {};
}

Status CollectionRun::set_right(Odd& odd) {
  if (!options_.dry_run && !odd.closed.empty()) CB_TRY(rows_.unclose(odd.closed));
  if (!options_.dry_run && !odd.condemned.empty()) CB_TRY(rows_.take_back(odd.condemned));
  odd = {};
  return {};
}

// Nothing is condemned before all that is dead was unclosed.
Status CollectionRun::count() {
  Odd odd;
  for (OldPack& pack : old_) {
    CB_TRY(count_pack(pack, odd));
    if (odd.closed.size() + odd.condemned.size() >= kRowsAtOnce) CB_TRY(set_right(odd));
    CB_TRY(step());
  }
  return set_right(odd);
}

Result<Engine::Collected> collect(EngineParts& engine, CommitChain& chain,
                                  const Engine::CollectOptions& options,
                                  const Engine::CheckProgress& progress) {
  const std::lock_guard alone(chain.upkeep_mutex);
  return CollectionRun(engine, chain, options, progress).run();
}

}  // namespace cb::repository
