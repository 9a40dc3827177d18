// SPDX-License-Identifier: Apache-2.0
//
// Tells, once each, when the store has little room left or none, and when a plugin is not entered
// any more. Blocks.
#pragma once

#include "core/server/job_kinds.h"

namespace cb::server {

void watch_store(const JobParts& parts);

// What a store of this room is to be called. `reserve`: below it uploads are refused.
enum class RoomState { well, low, full };
RoomState room_of(uint64_t total, uint64_t free, uint64_t reserve, uint32_t low_percent);

}  // namespace cb::server
