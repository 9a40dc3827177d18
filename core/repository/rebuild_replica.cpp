// SPDX-License-Identifier: Apache-2.0
//
// What the store says of a repository that is a copy of another server's. What the chain has and
// the packs do not is absent, and comes with the next replication; what the source removed is kept
// as far as it is whole.
#include <algorithm>

#include "core/repository/engine_replica.h"
#include "core/repository/repository_rebuild.h"

namespace cb::repository {

Status RepositoryRebuild::add_origin() {
  CB_ASSIGN(origin_, read(replica_object(result_.id), decode_replica));
  if (!origin_) return {};
  catalog::Replication& replication = parts_.catalog->replication();
  CB_TRY(replication.set_replica(
      {number_, origin_->source, origin_->server_key, origin_->keeps_removed}));
  for (const BlobId& snapshot : origin_->dropped)
    CB_TRY(replication.set_absent(number_, {snapshot.bytes, true, false}));
  return {};
}

Result<bool> RepositoryRebuild::changes_copy(const CommitRecord& record, bool is_whole) {
  catalog::Replication& replication = parts_.catalog->replication();
  CB_ASSIGN(auto absent, replication.absent(number_, record.snapshot.bytes));
  switch (record.type) {
    case CommitType::commit:
      if (!absent && !is_whole)
        CB_TRY(replication.set_absent(number_, {record.snapshot.bytes, false, false}));
      return !absent && is_whole;
    case CommitType::removal:
      CB_TRY(replication.clear_absent(number_, record.snapshot.bytes));
      return !origin_->keeps_removed;
    default:
      break;
  }
  if (!absent) return true;
  absent->in_trash = record.type == CommitType::forget;
  CB_TRY(replication.set_absent(number_, *absent));
  return false;
}

}  // namespace cb::repository
