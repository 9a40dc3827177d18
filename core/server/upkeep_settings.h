// SPDX-License-Identifier: Apache-2.0
//
// What [upkeep] and [replication] say: when the server does what it does by itself, and how much of
// it. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "core/schedule/schedule.h"
#include "core/schedule/window.h"
#include "core/server/replication_settings.h"

namespace cb::server {

struct UpkeepSettings {
  std::map<std::string, schedule::Schedule> schedules;  // by job; others have their own
  bool in_local_time = false;                           // else UTC
  schedule::Window window;                              // in which scheduled jobs run
  std::chrono::nanoseconds jitter{};
  uint64_t budget_bytes = 0;               // of one scheduled run; 0: none
  std::chrono::nanoseconds budget_time{};  // the same
  uint32_t most_removed = 50;              // per cent of a source's snapshots, without asking
  // A pack that was read whole and good this recently is not read again.
  std::chrono::nanoseconds verify_age = std::chrono::hours(24 * 30);
  std::chrono::nanoseconds history = std::chrono::hours(24 * 400);  // of runs that is kept
  ReplicationSettings replication;                                  // of [replication]

  std::chrono::nanoseconds
      drill_within{};  // an account without a drill for so long is told; 0: none

  [[nodiscard]] schedule::Zone zone() const {
    return in_local_time ? schedule::system_zone() : schedule::utc_zone();
  }
};

}  // namespace cb::server
