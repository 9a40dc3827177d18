// SPDX-License-Identifier: Apache-2.0
//
// One pack read from front to back, once, and held against what the catalog says of it. Functions
// keep nothing.
#pragma once

#include <string>
#include <vector>

#include "core/catalog/verification.h"
#include "core/plugin/store.h"
#include "core/repository/pack_scanner.h"

namespace cb::repository {

struct PackLook {
  bool is_gone = false;             // there is no such object
  bool is_unread = false;           // the store cannot read it, and reads others
  std::vector<bool> good;           // as the rows: is the blob there, as the catalog says, whole?
  std::vector<std::string> damage;  // of the pack itself: "has another size than ..."
  // Sessions whose record is damaged here, be there another or not: each pack has its own, for the
  // day when the catalog is lost.
  std::vector<SessionId> lost_records;
  bool has_damaged_garbage = false;  // something that no row names, which may explain it
};

// Errors are those of a store that cannot be read.
Result<PackLook> look_at_pack(plugin::Store& store, const RepositoryId& repository,
                              const catalog::VerifiedPack& pack,
                              const std::vector<catalog::PackBlob>& rows);

}  // namespace cb::repository
