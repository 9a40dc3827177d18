// SPDX-License-Identifier: Apache-2.0
#include "core/client/snapshot_proof.h"

namespace cb::client {

using repository::BlobId;

Result<repository::SnapshotRecord> prove_snapshot(BlobFetcher& fetcher,
                                                  const repository::CommitRecord& commit) {
  CB_ASSIGN(const repository::PlainBlob blob, fetcher.blob(commit.snapshot));
  if (blob.kind != repository::BlobKind::snapshot)
    return failed(Code::corrupt, "blob " + commit.snapshot.hex(), "is no snapshot");
  CB_ASSIGN(repository::SnapshotRecord record, repository::decode_snapshot(blob.plain));
  if (blob.children != std::vector<BlobId>{commit.root})
    return failed(Code::corrupt, "snapshot " + commit.snapshot.hex(),
                  "has another file list than its commit record says");
  if (record.flags != commit.flags)
    return failed(Code::corrupt, "snapshot " + commit.snapshot.hex(),
                  "has other flags than its commit record says");
  const bool by_server = (commit.flags & repository::kSnapshotV3) != 0;
  if (!by_server && record.device != commit.device)
    return failed(Code::corrupt, "snapshot " + commit.snapshot.hex(),
                  "was made by another device than its commit record says");
  return record;
}

}  // namespace cb::client
