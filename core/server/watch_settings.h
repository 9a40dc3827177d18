// SPDX-License-Identifier: Apache-2.0
//
// What [watch] says: which silences and which snapshots are remarkable, and what follows. Plain
// values.
#pragma once

#include <chrono>
#include <cstdint>

namespace cb::server {

struct WatchSettings {
  bool is_on = true;  // else sources are neither missed nor judged
  std::chrono::nanoseconds tolerance = std::chrono::hours(6);  // of a regular source, at most
  uint32_t least_backups = 7;  // before history says when the next one is expected
  uint32_t score_limit = 60;   // from which on a snapshot is an anomaly
  std::chrono::nanoseconds freeze = std::chrono::hours(24 * 14);  // 0: nothing is frozen
  std::chrono::nanoseconds pin = std::chrono::hours(24 * 90);     // of the last normal snapshot
  uint32_t low_space = 5;  // per cent of a store that are to be free; 0: nobody is told

  friend bool operator==(const WatchSettings&, const WatchSettings&) = default;
};

}  // namespace cb::server
