// SPDX-License-Identifier: Apache-2.0
//
// What a rule about traffic says: whose bytes, when, and how many a second. Plain values; functions
// are pure.
#pragma once

#include <string>
#include <vector>

#include "core/schedule/time_frame.h"
#include "core/server/network.h"
#include "core/stream/token_bucket.h"

namespace cb::server {

// As the server sees it: backups come in, restores go out.
enum class Direction : uint8_t { in, out, both };

struct TrafficRule {
  std::string name;
  std::vector<Network> networks;      // of the peers; none: all
  std::vector<std::string> accounts;  // "alice", "v3/*"; none: all
  Direction direction = Direction::both;
  schedule::TimeFrame when;
  bool in_local_time = false;  // else UTC
  stream::Rate rate;           // of all together whom it is about

  friend bool operator==(const TrafficRule&, const TrafficRule&) = default;

  // Is it about this peer (`address` as in "192.0.2.1" or "[2001:db8::1]") and account?
  [[nodiscard]] bool is_about(Direction moving, const std::string& address,
                              const std::string& account) const;
  [[nodiscard]] bool is_due(int64_t wall_ns) const;
};

// "in", "out", "both".
const char* name_of(Direction direction);

}  // namespace cb::server
