// SPDX-License-Identifier: Apache-2.0
//
// Which blobs a house's packs have, found without the catalog and without a key. One thread.
#pragma once

#include <string>
#include <vector>

#include "core/repository/pack.h"
#include "tests/damage/objects.h"

namespace cb::damage {

struct FoundBlob {
  std::string pack;  // the object
  repository::PackDomain domain{};
  bool is_new = false;  // its pack was not there earlier
  size_t offset = 0;    // of its record
  size_t record = 0;    // bytes of that
  repository::BlobHead head;

  [[nodiscard]] size_t stored_at() const { return offset + record; }
};

// All blobs of the packs below a prefix; those of packs that `earlier` lacks are new.
std::vector<FoundBlob> blobs_in(Objects& objects, Objects& earlier, const std::string& prefix);

}  // namespace cb::damage
