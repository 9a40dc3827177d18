// SPDX-License-Identifier: Apache-2.0
//
// A data folder whose catalog is lost: makes another from the store, looks whether it is whole, and
// puts it in place. For one thread, for who holds the folder's lock.
#pragma once

#include "core/repository/catalog_rebuild.h"
#include "core/server/backend.h"

namespace cb::server {

struct RebuildRequest {
  bool dry_run = false;  // changes nothing
  bool scan = false;     // reads every pack from front to back
};

// One sentence about a repository's account.
struct RebuildRemark {
  std::string account;
  std::string text;
};

struct RebuildResult {
  repository::Rebuilt rebuilt;
  std::vector<RebuildRemark> findings;  // of the check of the new catalog
  std::vector<RebuildRemark> notes;
  uint64_t v3_clients = 0;
  uint64_t v3_versions = 0;
  std::string kept;  // where the old catalog lies now; empty: there was none
};

// `settings` has been prepared with `registry`. Whenever it fails or is killed the old catalog
// stays. Code::not_found and Code::auth when keys of the server's are missing or not those that the
// store began with.
Result<RebuildResult> rebuild_data_folder(const Settings& settings, plugin::Registry& registry,
                                          const Seams& seams, const RebuildRequest& request,
                                          const repository::RebuildProgress& progress);

}  // namespace cb::server
