// SPDX-License-Identifier: Apache-2.0
//
// What an owner's device may do with a repository beside reading and writing: devices, invites,
// rotation, and the blobs that other devices brought (docs/trust.md). Functions block and may be
// called by several threads; Code::denied for who is no owner, but for devices().
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "core/repository/blob.h"
#include "core/repository/records.h"

namespace cb::repository {

// A copy that no owner put and none has verified.
struct BlobCopy {
  BlobId id;
  BlobKind kind = BlobKind::data;
  DeviceId device;
};

struct CopyPage {
  std::vector<BlobCopy> copies;
  uint64_t cursor = 0;  // for the next page
  bool last = false;
};

struct SessionEntry {
  SessionId session;
  Bytes record;
};

struct SessionPage {
  std::vector<SessionEntry> sessions;  // by id
  bool last = false;
};

struct DeviceEntry {
  Certificate certificate;
  uint64_t state = 0;  // 0 active, 1 disabled, 2 revoked
  int64_t last_seen_ns = 0;
  uint32_t sessions = 0;  // that run now
};

struct InviteEntry {
  Invite invite;
  std::optional<DeviceId> used_by;
};

struct DeviceList {
  std::vector<DeviceEntry> devices;  // oldest first
  std::vector<InviteEntry> invites;
};

struct NewInvite {
  Bytes record;                            // an Invite
  std::array<std::byte, 32> proof_hash{};  // SHA-256 of the proof
  Bytes sealed_keys;
};

class OwnerRemote {
 public:
  virtual ~OwnerRemote() = default;

  virtual Result<DeviceList> devices() = 0;
  virtual Status add_invite(const NewInvite& invite) = 0;
  virtual Status remove_invite(const InviteId& invite) = 0;
  // `state` 0 or 1, at once, for running sessions too.
  virtual Status set_device(const DeviceId& device, uint64_t state) = 0;
  // The next revision of the record; devices that it revokes anew are out at once. `slots`, when
  // given, are all that there are from then on. One step.
  virtual Status put_record(const RepositoryRecord& record,
                            const std::optional<std::vector<KeySlot>>& slots) = 0;
  // Records of sessions of an epoch below this, past the id `after`.
  virtual Result<SessionPage> sessions(uint32_t epoch, const SessionId& after) = 0;
  virtual Status put_sessions(std::span<const SessionEntry> sessions) = 0;
  virtual Result<CopyPage> copies(uint64_t after) = 0;
  // What was found in a device's copies; at most 4,096 ids. Children before what names them.
  virtual Status verified(const DeviceId& device, std::span<const BlobId> ids, bool bad) = 0;
};

}  // namespace cb::repository
