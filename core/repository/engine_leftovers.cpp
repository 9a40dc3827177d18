// SPDX-License-Identifier: Apache-2.0
//
// Clearing away what a crash left. An older catalog than the store's must never lead to loss: it
// knows too little, and what it does not know may be a backup.
#include <set>

#include "core/repository/catalog_rebuild.h"
#include "core/repository/engine_check.h"
#include "core/repository/engine_records.h"
#include "core/repository/pack.h"
#include "core/repository/pack_scanner.h"

namespace cb::repository {
namespace {

// Blobs that snapshots begin with and the index lacks.
Result<std::set<BlobId>> missing_beginnings(EngineParts& engine, const CommitChain& chain) {
  CB_ASSIGN(const auto rows, engine.index().snapshots(chain.number(), true));
  std::set<BlobId> missing;
  for (const catalog::SnapshotRow& row : rows) {
    CB_ASSIGN(const CommitRecord record, decode_commit(row.record));
    const std::array<BlobId, 2> ids = {record.snapshot, record.root};
    CB_ASSIGN(const auto there,
              engine.index().have(chain.number(), {catalog::kOpenDomain, true}, bytes_of(ids)));
    for (size_t i = 0; i < ids.size(); ++i)
      if (!there[i]) missing.insert(ids[i]);
  }
  return missing;
}

// Is one of the blobs in a pack that the catalog does not know? Then it is an old copy.
Status check_catalog_is_current(EngineParts& engine, const CommitChain& chain,
                                const std::set<BlobId>& missing,
                                const std::vector<std::string>& unknown) {
  for (const std::string& object : unknown) {
    auto pack = StoredPack::open(*engine.parts.store, object);
    if (!pack) continue;
    const auto footer = read_footer(*pack);
    if (!footer) continue;
    for (const FooterEntry& entry : footer->entries)
      if (missing.contains(entry.id))
        return failed(Code::state, "repository " + chain.id().hex(),
                      "has a snapshot whose blobs the catalog does not know",
                      "the catalog is older than the store: nothing was removed; restore the "
                      "newest copy of the catalog, or run cyberbackupd rebuild-catalog");
  }
  return {};
}

Status drop_open_intakes(EngineParts& engine, const CommitChain& chain) {
  CB_ASSIGN(const auto intakes, engine.index().open_intakes(chain.number()));
  for (const int64_t intake : intakes) CB_TRY(engine.index().drop_intake(intake));
  return {};
}

Result<bool> is_unknown_pack(EngineParts& engine, const CommitChain& chain,
                             const std::string& object) {
  const auto pack = id_in<PackName>(object);
  if (!pack || object != pack_object(chain.id(), *pack)) return false;  // not ours to judge
  CB_ASSIGN(const bool known, engine.index().knows_pack(chain.number(), pack->bytes));
  return !known;
}

Result<std::vector<std::string>> unknown_packs(EngineParts& engine, const CommitChain& chain) {
  std::vector<std::string> unknown;
  CB_ASSIGN(plugin::List list, engine.parts.store->list_open(pack_prefix(chain.id())));
  for (;;) {
    CB_ASSIGN(const auto object, list.next());
    if (!object) return unknown;
    CB_ASSIGN(const bool leftover, is_unknown_pack(engine, chain, object->name));
    if (leftover) unknown.push_back(object->name);
  }
}

// A catalog that misses what no pack holds is no old copy: a rebuilt one goes on with what is left
// of a damaged store. But then nothing is removed.
Result<uint64_t> remove_packs(EngineParts& engine, const CommitChain& chain) {
  CB_ASSIGN(const auto before, unknown_packs(engine, chain));
  if (!before.empty()) {
    CB_ASSIGN(const auto missing, missing_beginnings(engine, chain));
    CB_TRY(check_catalog_is_current(engine, chain, missing, before));
    if (!missing.empty()) return 0;
  }
  CB_TRY(drop_open_intakes(engine, chain));
  CB_ASSIGN(const auto unknown, unknown_packs(engine, chain));
  for (const std::string& object : unknown) CB_TRY(engine.parts.store->remove(object));
  return unknown.size();
}

// Could a catalog have a repository with this record? Not when it is lost or damaged.
Result<bool> is_record(EngineParts& engine, const std::string& object) {
  const auto kept = read_object(*engine.parts.store, object, kMostRecordBytes);
  if (!kept && kept.error().code != Code::not_found) return failed(kept.error());
  return kept && decode_repository(*kept);
}

// Was its creation not finished? Then there is its record alone, never with packs or commits.
Result<bool> is_unfinished(EngineParts& engine, const RepositoryId& repository) {
  const std::string record = record_object(repository);
  CB_ASSIGN(plugin::List list, engine.parts.store->list_open(repository_prefix(repository)));
  for (;;) {
    CB_ASSIGN(const auto object, list.next());
    if (!object) return true;
    if (object->name != record) return false;
  }
}

// Where the record is lost and no catalog can have the repository, all of it stays.
Result<uint64_t> remove_unfinished(EngineParts& engine, const RepositoryId& repository) {
  const std::string record = record_object(repository);
  CB_ASSIGN(const bool is_alone, is_unfinished(engine, repository));
  if (is_alone) {
    CB_TRY(engine.parts.store->remove(record));
    return 1;
  }
  CB_ASSIGN(const bool may_be_known, is_record(engine, record));
  if (!may_be_known) return 0;
  return failed(Code::state, "repository " + repository.hex(),
                "is in the store and not in the catalog",
                "the catalog is older than the store: nothing was removed; restore the newest "
                "copy of the catalog, or run cyberbackupd rebuild-catalog");
}

// Such a store is another one, or its disk is not mounted. What clients would put there leans on
// what is not.
Status check_nothing_is_missed(EngineParts& engine) {
  CB_ASSIGN(const auto rows, engine.index().repositories());
  if (rows.empty()) return {};
  return failed(Code::state, "the store", "has nothing of what the catalog knows",
                "mount the disk that it is on or bring it back from a copy; to begin anew without "
                "what is gone, run cyberbackupd rebuild-catalog");
}

// One that made its commit record has its rows published by load(), as at a start.
Status drop_uploads(EngineParts& engine, const CommitChain& chain, uint64_t& dropped) {
  CB_ASSIGN(const auto intakes, engine.index().open_intakes(chain.number()));
  for (const int64_t intake : intakes) {
    CB_ASSIGN(const auto packs, engine.index().drop_intake(intake));
    for (const catalog::Bytes16& pack : packs) {
      const std::string object = pack_object(chain.id(), PackName{pack});
      const Status removed = engine.parts.store->remove(object);
      if (!removed && removed.error().code != Code::not_found) return removed;
    }
    ++dropped;
  }
  return {};
}

}  // namespace

Result<uint64_t> drop_stale_uploads(EngineParts& engine, CommitChain& chain) {
  const std::lock_guard lock(chain.mutex);
  CB_ASSIGN(const auto intakes, engine.index().open_intakes(chain.number()));
  uint64_t dropped = 0;
  if (intakes.empty()) return dropped;
  CB_TRY(chain.load());
  CB_TRY(chain.leases.without_private([&] { return drop_uploads(engine, chain, dropped); }));
  return dropped;
}

Result<std::vector<RepositoryId>> unlisted_repositories(EngineParts& engine) {
  std::vector<RepositoryId> unlisted;
  std::string after;
  for (;;) {
    CB_ASSIGN(const auto repository,
              next_repository(*engine.parts.store, after, [](const std::string&) {}));
    if (!repository) return unlisted;
    after = repository_prefix(*repository) + "z";  // sorts behind all of its objects
    CB_ASSIGN(const auto known, engine.index().repository(repository->bytes));
    if (known) continue;
    CB_ASSIGN(const bool is_begun, is_unfinished(engine, *repository));
    CB_ASSIGN(const bool may_be_known, is_record(engine, record_object(*repository)));
    // It may have been finished meanwhile.
    CB_ASSIGN(const auto now, engine.index().repository(repository->bytes));
    if (!is_begun && may_be_known && !now) unlisted.push_back(*repository);
  }
}

Result<uint64_t> remove_leftovers(EngineParts& engine) {
  uint64_t removed = 0;
  bool has_any = false;
  std::string after;
  for (;;) {
    CB_ASSIGN(const auto repository,
              next_repository(*engine.parts.store, after, [](const std::string&) {}));
    if (!repository) break;
    after = repository_prefix(*repository) + "z";  // sorts behind all of its objects
    CB_ASSIGN(const auto known, engine.index().repository(repository->bytes));
    if (!known) {
      CB_ASSIGN(const uint64_t objects, remove_unfinished(engine, *repository));
      removed += objects;
      continue;
    }
    has_any = true;
    const auto chain = engine.chain(*repository);
    // Damage is told when the repository is used, and nothing of it is removed meanwhile.
    if (!chain && is_damage(chain.error().code)) continue;
    if (!chain) return failed(chain.error());
    CB_ASSIGN(const uint64_t packs, remove_packs(engine, **chain));
    removed += packs;
  }
  if (!has_any) CB_TRY(check_nothing_is_missed(engine));
  return removed;
}

}  // namespace cb::repository
