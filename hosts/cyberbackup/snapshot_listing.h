// SPDX-License-Identifier: Apache-2.0
//
// Snapshots as people and scripts see them: what the server knows, and with a key what it does not.
// Used by one thread.
#pragma once

#include <map>

#include "core/report/json.h"
#include "hosts/cyberbackup/workplace.h"

namespace cb {

// Names a snapshot on the screen: the first 12 digits.
std::string short_id(const repository::BlobId& snapshot);

// "2026-11-23 22:17:36" by the clock and in the time zone of this machine.
std::string local_time(int64_t ns);
// "2026-11-23T21:17:36Z".
std::string utc_time(int64_t ns);

// The inside of snapshots by id, and why others are not there or do not open.
struct SnapshotInsides {
  std::map<repository::BlobId, repository::SnapshotRecord> records;
  std::map<repository::BlobId, Error> failures;
};
// Fails only when the remote does not answer.
Result<SnapshotInsides> open_snapshots(repository::Remote& remote, repository::Opener& opener,
                                       const std::vector<repository::SnapshotInfo>& list);

// Names on stderr those that did not open. ExitCode::failed when there are any.
report::ExitCode tell_unopened(const CommonOptions& options, const SnapshotInsides& insides);

// With the inside, or the error, of one that was opened.
report::Json json_of(const repository::SnapshotInfo& info, const SnapshotInsides& insides);

// With columns for host and paths when there are insides.
std::string table_of(const std::vector<repository::SnapshotInfo>& list,
                     const SnapshotInsides& insides);

}  // namespace cb
