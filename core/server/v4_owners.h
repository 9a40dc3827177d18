// SPDX-License-Identifier: Apache-2.0
//
// What owners of protocol v4 change about their account: invites, devices, the repository record
// with its slots, records of sessions. Thread-safe; functions block and belong on a worker.
#pragma once

#include "core/server/v4_joining.h"
#include "core/server/v4_running.h"

namespace cb::server {

class V4Owners {
 public:
  struct Parts {
    catalog::Accounts* accounts = nullptr;
    repository::Engine* engine = nullptr;
    AccountNotes* notes = nullptr;
    V4Running* running = nullptr;
    const os::Clock* clock = nullptr;
    AccountLocks* changes = nullptr;  // as V4Joining's
  };
  explicit V4Owners(const Parts& parts) : parts_(parts) {}

  // Signed by the root key, and not expired. The same invite again is done. Code::exists for
  // another one of that id.
  Status add_invite(const V4Member& owner, const repository::NewInvite& invite) const;
  Status remove_invite(const V4Member& owner, const repository::InviteId& invite) const;

  // Disables or enables a device of the account, another than the owner's own; its sessions end.
  Status set_device(const V4Member& owner, const repository::DeviceId& device,
                    catalog::DeviceState state) const;

  // The rules are check_next_record's and check_all_slots'. Devices and invites that the record
  // revokes are out, and their sessions end. Returns how many devices it revoked anew.
  Result<size_t> put_record(const V4Member& owner, const repository::RepositoryRecord& record,
                            std::optional<std::vector<repository::KeySlot>> slots) const;

  // check_added_slot's and check_removed_slot's rules. The same slot again is done; Code::exists
  // for another one of that id.
  Status add_slot(const V4Member& owner, const repository::KeySlot& slot) const;
  Status remove_slot(const V4Member& owner, const repository::SlotId& slot) const;

  // Code::exists for one whose epoch is not higher than what is there.
  Status put_sessions(const V4Member& owner,
                      std::span<const repository::SessionEntry> sessions) const;

 private:
  // The account's lock, for an owner that is still let in (Code::denied).
  Result<std::unique_lock<std::mutex>> begin(const V4Member& owner) const;
  struct Known {
    repository::DeviceId id;
    catalog::DeviceState state;
    repository::Certificate certificate;
  };
  // The account's devices.
  Result<std::vector<Known>> devices(const V4Member& owner) const;
  Result<size_t> revoke(const V4Member& owner, const repository::RepositoryRecord& record,
                        std::span<const Known> devices) const;
  // Devices that may have a slot of their own.
  static std::vector<repository::DeviceId> readers(const repository::RepositoryRecord& record,
                                                   std::span<const Known> devices);

  Parts parts_;
};

}  // namespace cb::server
