// SPDX-License-Identifier: Apache-2.0
//
// What a migration keeps on disk from before the server hears of it until the recovery code was
// shown: <profile>/migration, 0600. Functions block and are thread-safe.
#pragma once

#include <optional>
#include <vector>

#include "core/os/file_system.h"
#include "core/repository/records.h"

namespace cb::client {

struct PendingMigration {
  ClientId client;     // of protocol v3
  Secret device_seed;  // these two: 32 bytes each
  Secret recovery_code;
  // What the server handed over, and what was made of it; empty until then.
  Bytes repository;
  Bytes certificate;
  std::vector<Bytes> slots;
  repository::SlotId server_slot;
  Secret write_key;  // 32 bytes

  [[nodiscard]] bool has_keys() const { return !repository.empty(); }
};

os::Path migration_file(const os::Path& folder);

// Nothing when there is none; Code::corrupt names the file and says what to do.
Result<std::optional<PendingMigration>> load_migration(os::FileSystem& files,
                                                       const os::Path& folder);
Status save_migration(os::FileSystem& files, const os::Path& folder,
                      const PendingMigration& pending);

Secret encode(const PendingMigration& pending);
// Code::corrupt for anything that encode does not write.
Result<PendingMigration> decode_migration(ByteView bytes);

}  // namespace cb::client
