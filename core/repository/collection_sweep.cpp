// SPDX-License-Identifier: Apache-2.0
//
// What goes: see collection_run.h.
#include "core/repository/collection_run.h"

#include "core/base/trial.h"

namespace cb::repository {

// With the chain's mutex held, and nobody adding packs.
Status CollectionRun::condemn_now(const Rows& candidates, bool are_weak) {
  CB_TRY(look());
  if (are_weak) CB_TRY(weak_.mark_living(candidates));
  Rows dead;
  for (const catalog::DeadRow& row : candidates)
    if (!mark_.is_marked(row.number)) dead.push_back(row);
  CB_ASSIGN(const uint64_t condemned, rows_.condemn_dead(dead, now()));
  collected_.condemned += condemned;
  return {};
}

// Leaves none of it; or it waits, while uploads are under way that could not send again.
Status CollectionRun::condemn_batch(Rows& candidates, bool are_weak) {
  if (candidates.empty()) return {};
  const std::lock_guard lock(chain_.mutex);
  CB_TRY(chain_.load());
  CB_TRY(look());  // most of it while packs can still be added
  const std::lock_guard no_packs(chain_.epoch_mutex);
  CB_ASSIGN(const bool done,
            chain_.leases.without_private([&] { return condemn_now(candidates, are_weak); }));
  trial::passed("collect.condemned");
  collected_.waits = !done;
  candidates.clear();
  return {};
}

// The rows of a pack that are dead and satisfy `wanted`, behind those that are in `batch`.
Status CollectionRun::gather(const OldPack& pack, Rows& batch, const Wanted& wanted) {
  if (pack.dead == 0) return {};
  CB_ASSIGN(const auto blobs, rows_in(pack));
  for (const catalog::HeldBlob& blob : blobs)
    if (!mark_.is_marked(blob.number) && !lacking_.contains(blob.domain) && wanted(blob))
      batch.push_back({blob.number, pack.number});
  return {};
}

// Weak rows after all that they describe: while one of these is not condemned yet, a commit may
// lean on it, and then it lives.
Status CollectionRun::condemn_weak() {
  Rows batch;
  size_t children = 0;
  for (const OldPack& pack : old_) {
    if (pack.weak == 0) continue;
    CB_TRY(gather(pack, batch, [&](const catalog::HeldBlob& blob) {
      const bool is_chosen = blob.condemned_ns == 0 && is_weak(static_cast<BlobKind>(blob.kind));
      children += is_chosen ? blob.child_count : 0;
      return is_chosen;
    }));
    if (batch.size() < kRowsAtOnce && children < kChildrenAtOnce) continue;
    CB_TRY(condemn_batch(batch, true));
    if (collected_.waits) return {};
    children = 0;
    rest();
  }
  return condemn_batch(batch, true);
}

// Records of sessions after all that they unlock: whatever ends this early, a blob that is seen has
// its record.
Status CollectionRun::condemn() {
  const auto is_new = [](const catalog::HeldBlob& blob, bool is_record) {
    const auto kind = static_cast<BlobKind>(blob.kind);
    return blob.condemned_ns == 0 && !is_weak(kind) && (kind == BlobKind::session) == is_record;
  };
  Rows batch;
  Rows records;
  for (const OldPack& pack : old_) {
    CB_TRY(step());
    CB_TRY(gather(pack, batch, [&](const auto& blob) { return is_new(blob, false); }));
    CB_TRY(gather(pack, records, [&](const auto& blob) { return is_new(blob, true); }));
    if (batch.size() >= kRowsAtOnce) CB_TRY(condemn_batch(batch));
    if (collected_.waits) return {};
  }
  CB_TRY(condemn_batch(batch));
  if (!collected_.waits) CB_TRY(condemn_weak());
  const bool is_all = !collected_.waits && lacking_.empty();
  return is_all ? condemn_batch(records) : Status();
}

// What weak rows describe may have been sent again since they were gathered.
Status CollectionRun::sweep_rows(Rows& rows, int64_t until_ns) {
  CB_TRY(weak_.mark_living(rows));
  std::erase_if(rows, [this](const auto& row) { return mark_.is_marked(row.number); });
  CB_ASSIGN(const auto sizes, rows_.sweep(rows, until_ns));
  trial::passed("collect.swept");
  collected_.deleted += sizes.size();
  for (const uint32_t size : sizes) collected_.deleted_bytes += size;
  rows.clear();
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
  }
  return {};
}

// Row first: an object without one is removed at the next start, a row without one is damage.
Status CollectionRun::remove_pack(const OldPack& pack) {
  CB_ASSIGN(const bool gone, rows_.remove_pack(pack.number, now() - options_.wait.count()));
  if (!gone) return {};
  trial::passed("collect.unlisted");
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

}  // namespace cb::repository
