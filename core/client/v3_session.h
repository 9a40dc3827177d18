// SPDX-License-Identifier: Apache-2.0
//
// From nothing to a connection that is logged in: tries with backoff, a breaker and one deadline
// over all. Runs on one strand.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>

#include "core/client/backoff.h"
#include "core/client/v3_login.h"
#include "core/client/v3_settings.h"
#include "core/stream/stack.h"

namespace cb::client {

// A connection that is logged in.
struct V3Session {
  std::unique_ptr<V3Wire> wire;
  plugin::Key key;
  bool used = false;  // a file was sent over it
};

class V3Dialler {
 public:
  // All outlive this.
  struct Parts {
    const stream::Stack* stack = nullptr;
    V3Account* account = nullptr;
    const V3SendSettings* settings = nullptr;
    const os::Clock* clock = nullptr;
    os::Random* random = nullptr;
    V3Login::Note note;
  };

  explicit V3Dialler(Parts parts);

  // Connects and logs in. Tries again what may pass by itself until settings.reach_timeout is over
  // or the breaker opens; while it is open every call fails at once. Code::denied when the server
  // refuses the name; else the server is out of reach, and the error is the last one.
  stream::Task<V3Session> reach();

  // Waits a little before a file is tried again.
  boost::asio::awaitable<void> pause();

  // Makes what waits, and every later call, end soon: reach() with Code::cancelled.
  void cancel();

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  stream::Task<V3Session> try_once(Deadline deadline);

  boost::asio::awaitable<void> wait(std::chrono::nanoseconds duration);

  Parts parts_;
  bool cancelled_ = false;
  V3Wire* logging_in_ = nullptr;
  boost::asio::steady_timer* waiting_ = nullptr;
  Backoff backoff_;
  CircuitBreaker breaker_;
  std::optional<Error> last_;
};

}  // namespace cb::client
