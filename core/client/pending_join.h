// SPDX-License-Identifier: Apache-2.0
//
// What joining an account keeps on disk from before the server hears of the new device until the
// profile is there: <profile>/joining, 0600. Functions block and are thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/os/file_system.h"
#include "core/repository/records.h"

namespace cb::client {

struct PendingJoin {
  repository::InviteId invite;  // zero: joined with a password
  std::string account;
  Bytes repository;  // records
  Bytes certificate;
  std::vector<Bytes> slots;
  Bytes reader_lock;   // a reader's
  Secret device_seed;  // 32 bytes
  Secret write_key;    // 32 bytes; empty for a reader
};

os::Path join_file(const os::Path& folder);

// Nothing when there is none; Code::corrupt names the file and says what to do.
Result<std::optional<PendingJoin>> load_pending_join(os::FileSystem& files, const os::Path& folder);
Status save_pending_join(os::FileSystem& files, const os::Path& folder, const PendingJoin& pending);

Secret encode(const PendingJoin& pending);
// Code::corrupt for anything that encode does not write.
Result<PendingJoin> decode_pending_join(ByteView bytes);

}  // namespace cb::client
