// SPDX-License-Identifier: Apache-2.0
//
// Gets a v4 session, whatever it takes: tries the servers in turn, pauses longer and longer, rests
// when all fail, and gives up in time. For any thread; one dials while the others wait for it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/client/backoff.h"
#include "core/client/v4_session.h"

namespace cb::client {

// Where a repository is and who asks.
struct V4Reach {
  std::vector<stream::Target> servers;  // tried in turn
  V4Identity identity;
};

struct V4DialSettings {
  std::chrono::nanoseconds give_up = std::chrono::seconds(60);
  V4Limits limits;
  BackoffSettings backoff;
  // More failures than one call makes; what it holds back is a caller that never stops.
  BreakerSettings breaker = {16, std::chrono::seconds(30)};
};

// "host:port", "[::1]:port". Code::invalid.
Result<stream::Target> parse_server(const std::string& text);

class V4Dialler {
 public:
  struct Parts {
    stream::Stack stack;
    V4Reach reach;
    const os::Clock* clock = nullptr;  // outlives the dialler, as does `random`
    os::Random* random = nullptr;
    std::function<void(const std::string&)> note;  // why it tries again; may be empty
  };
  V4Dialler(Parts parts, V4DialSettings settings);

  // A session that is logged in. Ends at once for what will not pass by itself: Code::denied,
  // Code::auth (not the pinned server or repository), Code::unsupported; else with the last error
  // when the time is up. Code::cancelled after cancel().
  Result<std::shared_ptr<V4Session>> reach();
  void cancel();

 private:
  struct Waiting;
  Result<std::shared_ptr<V4Session>> try_once();

  Parts parts_;
  V4DialSettings settings_;
  std::mutex dialling_;
  size_t next_server_ = 0;  // this and the two below: guarded by dialling_
  Backoff backoff_;
  CircuitBreaker breaker_;
  std::shared_ptr<Waiting> waiting_;
};

}  // namespace cb::client
