// SPDX-License-Identifier: Apache-2.0
//
// What a run of mixed load is asked to do. Plain data.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "bench/load_v4_plan.h"

namespace cb::bench {

// The daemon's own deadlines, as it is configured: a connection that misbehaves lives no longer.
struct MixDeadlines {
  std::chrono::nanoseconds handshake = std::chrono::seconds(10);
  std::chrono::nanoseconds login = std::chrono::seconds(30);
  std::chrono::nanoseconds request = std::chrono::seconds(60);
  std::chrono::nanoseconds write = std::chrono::seconds(60);
  std::chrono::nanoseconds v3_idle = std::chrono::seconds(60);
  std::chrono::nanoseconds v3_request = std::chrono::seconds(60);
  // Both are not to be configured.
  std::chrono::nanoseconds first_header = std::chrono::seconds(30);
  std::chrono::nanoseconds v3_login = std::chrono::seconds(60);
};

struct MixPlan {
  std::chrono::seconds time{1800};  // of all phases together, log-ins before them not counted
  uint32_t sessions = 2000;         // of protocol 4, logged in
  uint32_t v3 = 500;                // clients of protocol 3
  uint32_t misbehaving = 200;       // at one time
  uint32_t workers = 16;            // acts under way at once under full load
  uint64_t seed = 1;
  std::string tsv;            // where samples of the daemon go, "" = nowhere
  uint16_t observe_port = 0;  // of the daemon's metrics page
  V4Plan good, bad;           // where clients come from and go to; bad.port 0: as good
  MixDeadlines deadlines;
  bool has_own_address = false;  // those that misbehave come from an address of their own
};

}  // namespace cb::bench
