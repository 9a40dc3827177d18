// SPDX-License-Identifier: Apache-2.0
//
// See engine_check.h: the chain, the snapshots, and packs that nobody knows.
#include <algorithm>
#include <map>

#include "core/repository/engine_check_run.h"
#include "core/repository/engine_closure.h"
#include "core/repository/signatures.h"

namespace cb::repository {

Result<Engine::Checked> Check::run() {
  // First, so that what comes meanwhile is not taken for something strange.
  CB_ASSIGN(const std::vector<std::string> strange, unknown_packs());
  CB_ASSIGN(const std::vector<std::string> others, other_objects());
  CB_TRY(check_repository_records());
  CB_TRY(check_replaced_sessions());
  if (!is_changing_) CB_TRY(check_others(others));
  CB_TRY(check_commits());
  CB_TRY(check_snapshots());
  CB_TRY(check_packs());
  CB_TRY(check_strange_packs(strange));
  return std::move(checked_);
}

Status Check::check_commits() {
  for (;;) {
    CB_ASSIGN(const auto rows, engine_.index().commits(repository_, sequence_ + 1, kBatch));
    for (const catalog::CommitRow& row : rows) CB_TRY(check_commit(row));
    if (rows.size() < kBatch) return check_last_commits();
  }
}

// Nobody commits meanwhile: what the store has behind the last row is not on its way.
Status Check::check_last_commits() {
  const std::lock_guard lock(chain_.mutex);
  // A record whose row could not be written is no damage. One that cannot be taken in is found.
  if (chain_.is_behind()) static_cast<void>(chain_.load());
  CB_ASSIGN(const auto rows, engine_.index().commits(repository_, sequence_ + 1, kBatch));
  for (const catalog::CommitRow& row : rows) CB_TRY(check_commit(row));
  const std::string last = sequence_ == 0 ? std::string() : commit_object(id_, sequence_);
  CB_TRY(check_key());
  CB_ASSIGN(plugin::List list, engine_.parts.store->list_open(commit_prefix(id_), last));
  for (;;) {
    CB_ASSIGN(const auto object, list.next());
    if (!object) return {};
    find(object->name, "is not in the catalog");
  }
}

// With another key every client refuses the next commit.
Status Check::check_key() {
  const auto& key = engine_.parts.server_key;
  CB_ASSIGN(const auto last, engine_.index().last_commit(repository_));
  if (!key || !last || chain_.is_copy()) return {};
  const auto record = decode_commit(last->record);
  if (record && !verify_commit(*record, id_, *key))
    find(commit_object(id_, last->sequence),
         "is not signed with keys/signing.key: bring back the key that signed it, unless it was "
         "replaced on purpose (then the next commit ends this)");
  return {};
}

Status Check::check_commit(const catalog::CommitRow& row) {
  const std::string object = commit_object(id_, row.sequence);
  const auto record = decode_commit(row.record);
  CB_ASSIGN(const bool readable, whole("the catalog's row of " + object, record));
  if (readable && (row.sequence != sequence_ + 1 || record->sequence != row.sequence ||
                   record->previous != hash_ || row.hash != hash_of_record(row.record).bytes))
    find(object, "does not follow the commit before it");
  if (readable) CB_TRY(check_snapshot_row(row, *record));
  sequence_ = row.sequence;
  hash_ = hash_of_record(row.record);
  const auto stored = read_object(*engine_.parts.store, object, row.record.size());
  CB_ASSIGN(const bool there, whole(object, stored));
  if (there && *stored != row.record) find(object, "is another record than the catalog's");
  return {};
}

// Do the columns say what the record says, and is the snapshot listed?
Status Check::check_snapshot_row(const catalog::CommitRow& row, const CommitRecord& record) {
  const std::string object = commit_object(id_, row.sequence);
  if (row.type != static_cast<uint8_t>(record.type) || row.snapshot != record.snapshot.bytes ||
      row.commit_id != record.commit_id.bytes)
    find("the catalog's row of " + object, "does not say what its record says");
  catalog::Index& index = engine_.index();
  constexpr auto kRemoval = static_cast<uint8_t>(CommitType::removal);
  CB_ASSIGN(const auto removed, index.commit_of(repository_, record.snapshot.bytes, kRemoval));
  const bool is_gone = removed && removed->sequence > row.sequence;
  if (record.type != CommitType::commit || is_gone) return {};
  CB_ASSIGN(const auto listed, index.snapshot(repository_, record.snapshot.bytes));
  if (!listed || listed->record != row.record) {
    find("snapshot " + record.snapshot.hex(), "is not in the catalog's list");
    return {};
  }
  constexpr auto kForget = static_cast<uint8_t>(CommitType::forget);
  CB_ASSIGN(const auto forgotten, index.commit_of(repository_, record.snapshot.bytes, kForget));
  if (listed->in_trash && !forgotten)
    find("snapshot " + record.snapshot.hex(), "is in the trash, and nobody forgot it");
  return {};
}

Status Check::check_snapshots() {
  CB_ASSIGN(const auto rows, engine_.index().snapshots(repository_, true));
  // Each device's, with the copies that it may lean on.
  struct Walk {
    ClosureWalk walk;
    size_t known = 0;
  };
  std::map<int64_t, Walk> walks;
  for (const catalog::SnapshotRow& row : rows) {
    ++checked_.snapshots;
    const auto record = decode_commit(row.record);
    if (!record) continue;  // found above
    CB_ASSIGN(const Viewer viewer, engine_.viewer_of(record->device));
    CB_ASSIGN(const int64_t domain, engine_.domain_of(chain_, viewer));
    const ClosureWalk begun(engine_.index(), repository_, {domain}, ClosureWalk::Trust::nothing);
    auto& [walk, known] = walks.try_emplace(domain, Walk{begun}).first->second;
    CB_TRY(walk.walk(record->snapshot));
    CB_TRY(walk.walk(record->root));
    CB_ASSIGN(const auto still, engine_.index().snapshot(repository_, record->snapshot.bytes));
    if (!still) known = walk.missing().size();  // removed meanwhile, and collected
    for (; known < walk.missing().size(); ++known) {
      missing_.insert(walk.missing()[known]);
      find("blob " + walk.missing()[known].hex(),
           "is not in the index, and snapshot " + record->snapshot.hex() + " needs it");
    }
  }
  return {};
}

Result<std::vector<std::string>> Check::unknown_packs() {
  std::vector<std::string> unknown;
  CB_ASSIGN(plugin::List list, engine_.parts.store->list_open(pack_prefix(id_)));
  for (;;) {
    CB_ASSIGN(const auto object, list.next());
    if (!object) return unknown;
    const std::string_view name = std::string_view(object->name);
    const auto pack = PackName::from_hex_text(name.substr(name.find_last_of('/') + 1));
    if (!pack || object->name != pack_object(id_, *pack)) {
      note(object->name, "is no pack by its name");
      continue;
    }
    CB_ASSIGN(const bool known, engine_.index().knows_pack(repository_, pack->bytes));
    if (!known) unknown.push_back(object->name);
  }
}

// Those that were just being written or removed when they were seen are known or gone by now.
Status Check::check_strange_packs(std::span<const std::string> objects) {
  for (const std::string& object : objects) {
    CB_ASSIGN(const auto pack,
              PackName::from_hex_text(object.substr(object.find_last_of('/') + 1)));
    CB_ASSIGN(const bool known, engine_.index().knows_pack(repository_, pack.bytes));
    const auto there = engine_.parts.store->stat(object);
    if (!there && there.error().code != Code::not_found) return failed(there.error());
    if (!known && there) CB_TRY(check_strange_pack(object));
  }
  return {};
}

// A crash leaves such packs for the next start to remove; one that a snapshot needs lost its rows.
Status Check::check_strange_pack(const std::string& object) {
  auto bytes = StoredPack::open(*engine_.parts.store, object);
  if (!bytes && bytes.error().code == Code::not_found) return {};  // its upload was dropped
  if (!bytes) return failed(bytes.error());
  const auto footer = read_footer(*bytes);
  if (footer)
    for (const FooterEntry& entry : footer->entries)
      if (missing_.contains(entry.id)) {
        return find(object, "is not in the index, and has what a snapshot lacks"), Status{};
      }
  note(object, "is not in the index, and no snapshot needs it; the next start removes it");
  return {};
}

Result<Engine::Checked> check_repository(EngineParts& engine, const RepositoryId& repository,
                                         bool read_data, const Engine::CheckProgress& progress) {
  CB_ASSIGN(const auto chain, engine.chain(repository));
  return Check(engine, *chain, read_data, progress).run();
}

}  // namespace cb::repository
