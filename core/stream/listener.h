// SPDX-License-Identifier: Apache-2.0
//
// Accepts connections of a plugin's listener, for coroutines. All functions run on the listener's
// executor, except cancel, port and refusals (any thread).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>

#include "core/plugin/transport.h"

namespace cb::stream {

namespace asio = boost::asio;

class Listener {
 public:
  // `executor` is a strand (or a single-threaded context's executor).
  Listener(asio::any_io_executor executor, plugin::Listener listener);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Waits for the next connection of the root transport; its handshake has not been done. When the
  // process is out of descriptors it waits 5 ms, then longer up to 1 s, and tries again;
  // connections that died in the queue are skipped. One accept at a time. Code::cancelled after
  // cancel.
  asio::awaitable<Result<std::unique_ptr<plugin::Stream>>> accept();

  // Makes the pending and every later accept fail with Code::cancelled.
  void cancel();
  // Cancels, lets the handlers run, then closes the listener. Call once, last.
  asio::awaitable<void> close();

  [[nodiscard]] uint16_t port() const;
  // How often an accept had to be put off for want of descriptors.
  [[nodiscard]] uint64_t refusals() const;

  // Complete in listener.cpp only.
  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace cb::stream
