// SPDX-License-Identifier: Apache-2.0
//
// Makes the rows of a catalog from what lies in the store, and from nothing else (docs/trust.md,
// "When everything is gone"). Damage is told and never fatal. Blocks; for one thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/plugin/store.h"
#include "core/repository/records.h"

namespace cb::repository {

struct RebuildParts {
  plugin::Store* store = nullptr;
  catalog::Catalog* catalog = nullptr;  // a new one, without rows
  SigningPublic server_key{};           // that signs commit records
  // The account of a repository that the server keeps for a v3 client.
  std::function<Result<std::string>(const RepositoryRecord&, const KeySlot&)> name_v3;
  // Trusts no footer: reads every pack from front to back and leaves out what is damaged.
  bool scan = false;
  // May take commit records that follow no chain out of the way of the next one (to an object
  // "<repository>/set-aside/<sequence>"). Without it the store is only read.
  bool sets_aside = false;
};

struct RebuiltRepository {
  RepositoryId id;
  std::string account;
  bool is_v3 = false;
  uint64_t devices = 0, slots = 0, packs = 0, blobs = 0, commits = 0;
  uint64_t snapshots = 0, in_trash = 0;
  // What is damaged, missing or not to be believed: sentences that begin with their object; the
  // first 1,000.
  std::vector<std::string> doubts;
};

struct Rebuilt {
  std::vector<RebuiltRepository> repositories;
  std::vector<std::string> doubts;  // of what no repository could be made of
};

// Packs so far, and those that were found so far. Returns false to stop it (Code::cancelled).
using RebuildProgress = std::function<bool(uint64_t done, uint64_t total)>;

// Code::auth when there are commit records and not one is signed by the server's key: then this is
// another server's store, or the key is not the one that it began with. Other errors are of the
// catalog, or of a store that does not answer.
Result<Rebuilt> rebuild_catalog(const RebuildParts& parts, const RebuildProgress& progress);

// Does an error of this code say that an object is damaged or missing, and not that store or
// catalog fail?
bool is_damage(Code code);

}  // namespace cb::repository
