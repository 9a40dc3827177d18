// SPDX-License-Identifier: Apache-2.0
//
// From a commit record, which the server signs, to what the device sealed: only that tells which
// file list the snapshot has. Functions block and are thread-safe.
#pragma once

#include "core/client/restore.h"

namespace cb::client {

// Opens the snapshot behind a commit. Code::corrupt when it has another root or other flags, or was
// made by another device, than the commit says. The device's signature is not looked at: Receipts
// does that.
Result<repository::SnapshotRecord> prove_snapshot(BlobFetcher& fetcher,
                                                  const repository::CommitRecord& commit);

}  // namespace cb::client
