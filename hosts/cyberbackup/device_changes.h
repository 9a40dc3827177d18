// SPDX-License-Identifier: Apache-2.0
//
// What `cyberbackup device` changes of devices and invites that are there. Used by one thread.
#pragma once

#include <functional>
#include <vector>

#include "hosts/cyberbackup/workplace.h"

namespace cb {

struct ChangeOptions {
  std::string id;
  bool no_rotate = false;
};

struct DeviceChange {
  const char* name;
  const char* help;
  const char* example;
  bool rotates;
  std::function<Status(const CommonOptions&, const ChangeOptions&)> act;
};

// disable, enable, revoke, uninvite.
std::vector<DeviceChange> device_changes();

}  // namespace cb
