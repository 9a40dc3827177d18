// SPDX-License-Identifier: Apache-2.0
//
// What may still be stored, as the server says at the login, and what a person is to hear of it.
// Plain values; functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace cb::client {

struct RoomShare {
  uint64_t stored = 0;   // bytes, sealed and deduplicated
  uint64_t limit = 0;    // 0: none
  uint64_t soft = 0;     // 0: none
  int64_t until_ns = 0;  // above the soft limit, which is tolerated until then; 0: it is not above
  bool is_over = false;  // nothing more is stored

  [[nodiscard]] std::optional<uint64_t> left() const;  // nothing: there is no limit
};

struct Room {
  RoomShare account;
  RoomShare device;     // of this device alone
  uint64_t growth = 0;  // what this device's last backup had stored; 0: not known
  bool is_low = false;  // the store takes no new backups
};

// Code::limit or no_space when the server would refuse whatever a backup brings: better said before
// anything is read.
Status may_back_up(const Room& room);

// What may go wrong with this backup or a later one, a sentence each.
std::vector<std::string> room_warnings(const Room& room);

// "412.0 GiB of 500.0 GiB, 88.0 GiB left": one share for people.
std::string room_text(const RoomShare& share);

}  // namespace cb::client
