// SPDX-License-Identifier: Apache-2.0
//
// See collection.h. Who changes the order of things here changes docs/collection.md first.
#include "core/repository/collection.h"

#include <map>
#include <set>

#include "core/repository/collection_mark.h"
#include "core/repository/collection_pace.h"
#include "core/repository/engine_closure.h"

namespace cb::repository {
namespace {

constexpr size_t kRowsAtOnce = 1024;  // of one transaction
constexpr size_t kListedAtOnce = 1024;

// A public pack that was old enough when the collection began.
struct OldPack {
  int64_t number = 0;
  PackName name;
  uint64_t size = 0;
  int64_t retired_ns = 0;
  uint32_t rows = 0, dead = 0;  // when they were counted
};

struct Root {
  BlobId snapshot, root;
  DeviceId device;
};

class CollectionRun {
 public:
  CollectionRun(EngineParts& engine, CommitChain& chain, const Engine::CollectOptions& options,
                const Engine::CheckProgress& progress)
      : engine_(engine),
        rows_(engine.collection()),
        chain_(chain),
        options_(options),
        progress_(progress),
        pace_(chain.leases),
        mark_(rows_, chain.number(), old_numbers_) {}
  ~CollectionRun() {
    const std::lock_guard lock(chain_.mutex);
    chain_.is_collecting = false;
  }
  CollectionRun(const CollectionRun&) = delete;
  CollectionRun& operator=(const CollectionRun&) = delete;

  Result<Engine::Collected> run() {
    CB_TRY(begin());
    if (old_.empty()) return collected_;
    CB_TRY(check_whole());
    CB_TRY(mark_roots());
    CB_TRY(count());
    if (options_.dry_run) return collected_;
    CB_TRY(condemn());
    CB_TRY(sweep());
    CB_TRY(remove_packs());
    return collected_;
  }

 private:
  using Rows = std::vector<catalog::DeadRow>;

  [[nodiscard]] int64_t now() const { return engine_.parts.clock->wall().count(); }
  [[nodiscard]] int64_t old_until() const;
  Status begin();
  Status list_packs();
  Status mark_roots();
  Status check_whole();
  Status check_whole(const Root& root, ClosureWalk& walk, int64_t domain);
  Status mark_new_packs();
  Status mark_new_commits();
  Status look();
  Status count();
  Status count_pack(OldPack& pack, std::vector<int64_t>& closed);
  template <typename Wanted>
  Status gather(const OldPack& pack, Rows& batch, const Wanted& wanted);
  Status condemn();
  Status condemn_batch(Rows& candidates);
  Status condemn_now(const Rows& candidates);
  Status sweep();
  Status sweep_rows(const Rows& rows, int64_t until_ns);
  Status remove_packs();
  Status remove_pack(const OldPack& pack);

  [[nodiscard]] bool goes_on() const {
    return !progress_ || progress_(done_, std::max(done_, steps_));
  }
  void rest() {
    pace_.rest([this] { return goes_on(); });
  }

  // Tells that one of so many steps is done.
  Status step() {
    ++done_;
    rest();
    if (goes_on()) return {};
    return failed(Code::cancelled, "collection", "was stopped");
  }

  EngineParts& engine_;
  catalog::Collection& rows_;
  CommitChain& chain_;
  const Engine::CollectOptions& options_;
  const Engine::CheckProgress& progress_;
  Engine::Collected collected_;
  std::vector<OldPack> old_;
  NumberSet old_numbers_;
  int64_t newest_old_ = 0;        // the highest number of an old pack: new ones have higher ones
  std::vector<int64_t> young_;    // packs that were there at the beginning
  std::set<PackName> looked_at_;  // young packs
  std::vector<Root> roots_;
  std::set<int64_t> lacking_;  // domains whose snapshots lack something: their rows stay
  uint64_t sequence_ = 0;      // of the newest commit that was looked at
  CollectionPace pace_;
  Mark mark_;
  uint64_t done_ = 0, steps_ = 0;
};

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

// Counts what is dead; `closed` gets its rows that a commit would not look below.
Status CollectionRun::count_pack(OldPack& pack, std::vector<int64_t>& closed) {
  CB_ASSIGN(const auto blobs, rows_.rows_in(pack.number));
  uint64_t dead_bytes = 0;
  for (const catalog::HeldBlob& blob : blobs) {
    collected_.bytes += blob.size;
    if (mark_.is_marked(blob.number)) continue;
    ++pack.dead;
    dead_bytes += blob.size;
    if (blob.closed && blob.child_count > 0) closed.push_back(blob.number);
  }
  pack.rows = static_cast<uint32_t>(blobs.size());
  collected_.blobs += pack.rows;
  collected_.dead += pack.dead;
  collected_.dead_bytes += dead_bytes;
  if (pack.rows == pack.dead) collected_.freeable_bytes += pack.size;
  return {};
}

// Nothing is condemned before all that is dead was unclosed.
Status CollectionRun::count() {
  std::vector<int64_t> closed;
  const auto unclose = [&]() -> Status {
    if (!options_.dry_run && !closed.empty()) CB_TRY(rows_.unclose(closed));
    closed.clear();
    return {};
  };
  for (OldPack& pack : old_) {
    CB_TRY(count_pack(pack, closed));
    if (closed.size() >= kRowsAtOnce) CB_TRY(unclose());
    CB_TRY(step());
  }
  return unclose();
}

// With the chain's mutex held, and nobody adding packs.
Status CollectionRun::condemn_now(const Rows& candidates) {
  CB_TRY(look());
  Rows dead;
  for (const catalog::DeadRow& row : candidates)
    if (!mark_.is_marked(row.number)) dead.push_back(row);
  CB_ASSIGN(const uint64_t condemned, rows_.condemn_dead(dead, now()));
  collected_.condemned += condemned;
  return {};
}

// Leaves none of it; or it waits, while uploads are under way that could not send again.
Status CollectionRun::condemn_batch(Rows& candidates) {
  if (candidates.empty()) return {};
  const std::lock_guard lock(chain_.mutex);
  CB_TRY(chain_.load());
  CB_TRY(look());  // most of it while packs can still be added
  const std::lock_guard no_packs(chain_.epoch_mutex);
  CB_ASSIGN(const bool done,
            chain_.leases.without_private([&] { return condemn_now(candidates); }));
  collected_.waits = !done;
  candidates.clear();
  return {};
}

// The rows of a pack that are dead and satisfy `wanted`, behind those that are in `batch`.
template <typename Wanted>
Status CollectionRun::gather(const OldPack& pack, Rows& batch, const Wanted& wanted) {
  if (pack.dead == 0) return {};
  CB_ASSIGN(const auto blobs, rows_.rows_in(pack.number));
  for (const catalog::HeldBlob& blob : blobs)
    if (!mark_.is_marked(blob.number) && !lacking_.contains(blob.domain) && wanted(blob))
      batch.push_back({blob.number, pack.number});
  return {};
}

// Records of sessions after all that they unlock: whatever ends this early, a blob that is seen has
// its record.
Status CollectionRun::condemn() {
  constexpr auto kRecord = static_cast<uint8_t>(BlobKind::session);
  Rows batch;
  Rows records;
  for (const OldPack& pack : old_) {
    CB_TRY(step());
    CB_TRY(gather(pack, batch, [](const catalog::HeldBlob& blob) {
      return blob.condemned_ns == 0 && blob.kind != kRecord;
    }));
    CB_TRY(gather(pack, records, [](const catalog::HeldBlob& blob) {
      return blob.condemned_ns == 0 && blob.kind == kRecord;
    }));
    if (batch.size() >= kRowsAtOnce) CB_TRY(condemn_batch(batch));
    if (collected_.waits) return {};
  }
  CB_TRY(condemn_batch(batch));
  const bool is_all = !collected_.waits && lacking_.empty();
  return is_all ? condemn_batch(records) : Status();
}

Status CollectionRun::sweep_rows(const Rows& rows, int64_t until_ns) {
  CB_ASSIGN(const auto sizes, rows_.sweep(rows, until_ns));
  collected_.deleted += sizes.size();
  for (const uint32_t size : sizes) collected_.deleted_bytes += size;
  return {};
}

Status CollectionRun::sweep() {
  const int64_t until = now() - options_.wait.count();
  const auto is_due = [&](const catalog::HeldBlob& blob) {
    return blob.condemned && blob.condemned_ns > 0 && blob.condemned_ns <= until;
  };
  Rows batch;
  for (const OldPack& pack : old_) {
    CB_TRY(step());
    CB_TRY(gather(pack, batch, is_due));
    if (batch.size() < kRowsAtOnce && &pack != &old_.back()) continue;
    CB_TRY(sweep_rows(batch, until));
    batch.clear();
  }
  return {};
}

// Row first: an object without one is removed at the next start, a row without one is damage.
Status CollectionRun::remove_pack(const OldPack& pack) {
  CB_ASSIGN(const bool gone, rows_.remove_pack(pack.number, now() - options_.wait.count()));
  if (!gone) return {};
  const Status removed = engine_.parts.store->remove(pack_object(chain_.id(), pack.name));
  if (!removed && removed.error().code != Code::not_found) return removed;
  ++collected_.packs_removed;
  collected_.bytes_freed += pack.size;
  return {};
}

Status CollectionRun::remove_packs() {
  for (const OldPack& pack : old_) {
    if (pack.rows > pack.dead) continue;
    if (pack.retired_ns == 0) CB_TRY(rows_.retire(pack.number, now()));
    CB_TRY(remove_pack(pack));
    rest();
    if (!goes_on()) return failed(Code::cancelled, "collection", "was stopped");
  }
  return {};
}

}  // namespace

Result<Engine::Collected> collect(EngineParts& engine, CommitChain& chain,
                                  const Engine::CollectOptions& options,
                                  const Engine::CheckProgress& progress) {
  const std::lock_guard alone(chain.upkeep_mutex);
  return CollectionRun(engine, chain, options, progress).run();
}

}  // namespace cb::repository
