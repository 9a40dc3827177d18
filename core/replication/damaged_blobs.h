// SPDX-License-Identifier: Apache-2.0
//
// What the catalog knows of blobs that were found damaged: what comes in their place is compared
// with that. Constant once made.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/repository/blob.h"

namespace cb::replication {

class DamagedBlobs {
 public:
  // Of these ids, in all domains. Reads the rows of the packs that they lie in.
  static Result<DamagedBlobs> find(catalog::Catalog& catalog,
                                   const repository::RepositoryId& repository,
                                   std::span<const repository::BlobId> ids);

  // Is a damaged copy, in the open domain or in a device's, of the same kind, size and session,
  // with the same children?
  [[nodiscard]] bool look_like(const repository::BlobHead& head, bool is_open) const;

 private:
  std::map<repository::BlobId, std::vector<catalog::PackBlob>> rows_;
};

}  // namespace cb::replication
