// SPDX-License-Identifier: Apache-2.0
//
// From the root of a tree to a snapshot that the device signed, and the request to commit it. Used
// by one thread at a time.
#pragma once

#include "core/client/backup.h"
#include "core/client/blob_line.h"

namespace cb::client {

struct SnapshotFacts {
  repository::BlobId root;
  std::vector<std::string> paths;  // sorted
  uint64_t flags = 0;              // repository::kSnapshot*
  uint64_t files = 0;
  uint64_t bytes = 0;
  uint64_t errors = 0;
  repository::BlobId previous;
  // Of the files; how much was new is added.
  std::optional<repository::ChangeReport> report = {};
};

// Hands the snapshot over to the line, and waits until everything before it was put.
Result<repository::CommitRequest> seal_snapshot(const Backup::Parts& parts,
                                                const BackupRequest& request, BlobLine& line,
                                                const SnapshotFacts& facts);

}  // namespace cb::client
