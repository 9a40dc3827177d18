// SPDX-License-Identifier: Apache-2.0
//
// Devices and invites of an account as people and scripts see them. Used by one thread.
#pragma once

#include "core/report/json.h"
#include "core/repository/device_name.h"
#include "core/repository/owner_remote.h"
#include "hosts/cyberbackup/workplace.h"

namespace cb {

struct DeviceView {
  repository::DeviceId id;
  std::string name;          // empty: none that an owner gave, or it was not read
  bool unread_name = false;  // there is one, and no key to read it
  std::string state;         // "active", "disabled", "revoked", "not certified"
  bool here = false;         // this device
  repository::DeviceEntry entry;
};
// What the server tells, checked against what the owner signed in `record`; no name is read.
std::vector<DeviceView> views_of(const Workplace& place, const repository::RepositoryRecord& record,
                                 const repository::DeviceList& list);
// With an owner's keys.
void read_name(DeviceView& device, const repository::DeviceNames& names);

// "waiting", "used", "expired".
std::string state_of(const repository::InviteEntry& entry, int64_t now_ns);

std::string table_of(const std::vector<DeviceView>& devices,
                     const std::vector<repository::InviteEntry>& invites, int64_t now_ns);
report::Json json_of(const DeviceView& device);
report::Json json_of(const repository::InviteEntry& entry, int64_t now_ns);

// "laptop (3f1c9a0b2d4e)", or the digits alone.
std::string shown_name(const DeviceView& device);

}  // namespace cb
