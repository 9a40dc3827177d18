// SPDX-License-Identifier: Apache-2.0
//
// The room that a login tells of, out of its message. A pure function.
#pragma once

#include "core/client/room.h"
#include "core/protocol/v4/messages.h"

namespace cb::client {

inline Room room_of(const v4::pb::Room& message) {
  const auto share_of = [](const v4::pb::Quota& quota) {
    return RoomShare{quota.stored(), quota.limit(), quota.soft(), quota.until_ns(),
                     quota.is_over()};
  };
  return {share_of(message.account()), share_of(message.device()), message.growth(),
          message.is_low()};
}

}  // namespace cb::client
