// SPDX-License-Identifier: Apache-2.0
//
// A client of protocol v3 becomes the owner of what it uploaded: its server hands the keys over and
// keeps none (docs/protocol-v4.md, "Migration"). A pending file keeps what an interrupted migration
// goes on with, at whatever step, with the same device and the same recovery code. The old folder
// is only read. Functions block; use a profile by one process at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/client/enrolment.h"
#include "core/client/rotation.h"
#include "core/client/v4_adoption.h"

namespace cb::client {

// A session of the device that migrates.
struct MigrationSession {
  V4Welcome welcome;
  std::shared_ptr<repository::OwnerRemote> owner;
  std::function<Result<std::vector<repository::KeySlot>>()> slots;
};

// The server, as a migration sees it.
class MigrationServer {
 public:
  virtual ~MigrationServer() = default;
  // client::adopt, with the claim of the client that migrates.
  virtual Result<V4Welcome> adopt(const MakeOwner& make_owner) = 0;
  // Logs in with this profile's device. Code::denied while the server does not know it.
  virtual Result<MigrationSession> log_in(const Profile& profile) = 0;
};

struct MigrationWish {
  ClientId client;  // of protocol v3
  std::vector<std::string> servers;
  std::string pin;  // 64 hex digits
  std::string_view passphrase;
  std::string device_name;  // for owners to see; may be empty
};

struct Migrated {
  Profile profile;
  repository::DeviceId device;
  Secret recovery_code;     // 32 bytes: to be shown to people once
  RotationReport rotation;  // with epoch 0: was done before
};

// Does all of it, or what is left of it. Code::exists when the folder has a profile that is of no
// migration; Code::denied for a wrong passphrase of one that was begun, and as client::adopt. The
// pending file stays until finish_migration, which is to be called when the recovery code was
// shown; what the server refused at once leaves none.
Result<Migrated> migrate(const EnrolmentParts& parts, const MigrationWish& wish,
                         MigrationServer& server);
Status finish_migration(const EnrolmentParts& parts);

// Does a migration in `folder` wait for its end?
bool migration_pending(os::FileSystem& files, const os::Path& folder);

}  // namespace cb::client
