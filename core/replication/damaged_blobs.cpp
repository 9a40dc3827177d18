// SPDX-License-Identifier: Apache-2.0
#include "core/replication/damaged_blobs.h"

#include <algorithm>
#include <set>

namespace cb::replication {

using repository::BlobHead;
using repository::BlobId;

namespace {

bool has_shape(const catalog::BlobRow& row, const BlobHead& head) {
  Bytes children;
  for (const BlobId& child : head.children)
    children.insert(children.end(), child.bytes.begin(), child.bytes.end());
  return row.kind == static_cast<uint8_t>(head.kind) && row.size == head.stored_size &&
         row.session == head.session.bytes && row.children == children;
}

}  // namespace

Result<DamagedBlobs> DamagedBlobs::find(catalog::Catalog& catalog,
                                        const repository::RepositoryId& repository,
                                        std::span<const BlobId> ids) {
  CB_ASSIGN(const auto row, catalog.index().repository(repository.bytes));
  if (!row) return failed(Code::not_found, "repository " + repository.hex(), "is not here");
  std::vector<catalog::Bytes32> wanted;
  DamagedBlobs damaged;
  for (const BlobId& id : ids) {
    wanted.push_back(id.bytes);
    damaged.rows_[id];
  }
  std::set<int64_t> packs;
  CB_TRY(catalog.collection().rows_of(
      row->number, wanted, [&](const catalog::MarkedRow& one) { packs.insert(one.pack); }));
  for (const int64_t pack : packs) {
    CB_ASSIGN(auto blobs, catalog.verification().blobs(pack));
    for (catalog::PackBlob& one : blobs) {
      const auto place = damaged.rows_.find(BlobId{one.blob.id});
      if (one.is_condemned && place != damaged.rows_.end()) place->second.push_back(std::move(one));
    }
  }
  return damaged;
}

bool DamagedBlobs::look_like(const BlobHead& head, bool is_open) const {
  const auto place = rows_.find(head.id);
  return place != rows_.end() &&
         std::any_of(place->second.begin(), place->second.end(), [&](const catalog::PackBlob& one) {
           return (one.domain == catalog::kOpenDomain) == is_open && has_shape(one.blob, head);
         });
}

}  // namespace cb::replication
