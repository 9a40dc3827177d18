// SPDX-License-Identifier: Apache-2.0
//
// See catalog_rebuild.h.
#include "core/repository/catalog_rebuild.h"

#include <memory>

#include "core/repository/pack.h"
#include "core/repository/repository_rebuild.h"

namespace cb::repository {
namespace {

// Returns whether there is a repository.
Result<bool> rebuild_one(RepositoryRebuild& rebuild, const RebuildProgress& progress,
                         Rebuilt& rebuilt) {
  CB_ASSIGN(const bool there, rebuild.add_records());
  if (there) {
    CB_TRY(rebuild.add_packs(progress));
    CB_TRY(rebuild.add_sessions());
    CB_TRY(rebuild.add_commits());
    CB_TRY(rebuild.finish());
    return true;
  }
  auto& doubts = rebuild.result().doubts;
  rebuilt.doubts.insert(rebuilt.doubts.end(), doubts.begin(), doubts.end());
  return false;
}

}  // namespace

Result<Rebuilt> rebuild_catalog(const RebuildParts& parts, const RebuildProgress& progress) {
  Rebuilt rebuilt;
  std::vector<std::unique_ptr<RepositoryRebuild>> taken;
  bool is_strange = false;
  uint64_t commits = 0, done = 0;
  const auto tell_stray = [&rebuilt](const std::string& object) {
    rebuilt.doubts.push_back(object + " is of no repository");
  };
  for (std::string after;;) {
    CB_ASSIGN(const auto id, next_repository(*parts.store, after, tell_stray));
    if (!id) break;
    after = repository_prefix(*id) + "z";  // sorts behind all of its objects
    auto rebuild = std::make_unique<RepositoryRebuild>(parts, *id);
    const auto show = [&](uint64_t packs, uint64_t total) {
      return !progress || progress(done + packs, done + total);
    };
    CB_ASSIGN(const bool there, rebuild_one(*rebuild, show, rebuilt));
    if (!there) continue;
    is_strange = is_strange || rebuild->is_strange();
    commits += rebuild->result().commits;
    done += rebuild->result().packs;
    taken.push_back(std::move(rebuild));
  }
  if (is_strange && commits == 0)
    return failed(Code::auth, "the store", "not one commit record is signed by this server's key",
                  "bring back the keys/signing.key that this store began with");
  // Not before: with a wrong key nothing in the store may change.
  for (const auto& rebuild : taken) {
    CB_TRY(rebuild->set_rest_aside());
    rebuilt.repositories.push_back(std::move(rebuild->result()));
  }
  return rebuilt;
}

}  // namespace cb::repository
