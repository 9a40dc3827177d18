// SPDX-License-Identifier: Apache-2.0
//
// A stack of transports, as configured: ["tls", "tcp"] is TLS over TCP. Makes listeners, puts the
// filters on accepted streams, and connects by name. Immutable after make; for any thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/plugin/transport.h"
#include "core/stream/connection.h"

namespace cb::stream {

// Whom to connect to.
struct Target {
  std::string host;  // a name or a numeric address
  uint16_t port = 0;
  std::string peer_name;  // the name to verify; empty = host
};

class Stack {
 public:
  // `top_first` as in the configuration. Code::invalid unless it is any number of filters over one
  // root.
  static Result<Stack> make(std::vector<plugin::Transport> top_first);

  // Listens on a numeric address ("0.0.0.0", "::"); port 0 lets the system choose. May block.
  Result<plugin::Listener> listen(const std::string& address, uint16_t port,
                                  uint32_t backlog = 0) const;

  // Puts the filters on a stream that a listener accepted.
  Result<std::unique_ptr<plugin::Stream>> wrap_accepted(std::unique_ptr<plugin::Stream> root) const;

  // Resolves the host, tries its addresses (the next one after 250 ms or when one fails; the first
  // that stands wins), puts the filters on and does the handshake, all within `timeout`. `executor`
  // is the strand of the connection, and the caller runs on it. Errors: Code::not_found for an
  // unknown host, Code::timeout, Code::auth when the peer is not the one expected, else that of the
  // last address tried.
  Task<std::unique_ptr<Connection>> connect(asio::any_io_executor executor, Target target,
                                            std::chrono::nanoseconds timeout) const;

  // The same without a resolver and without a race, for one numeric address.
  Result<std::unique_ptr<plugin::Stream>> begin(const std::string& address, uint16_t port,
                                                const std::string& peer_name) const;

  // The capabilities (CB_TRANSPORT_*) of all plugins of the stack, or-ed.
  [[nodiscard]] uint64_t capabilities() const;
  // Rereads certificates of all transports that have any. The first failure is returned; that
  // transport keeps its former state.
  Status reload() const;

 private:
  explicit Stack(std::vector<plugin::Transport> top_first) : transports_(std::move(top_first)) {}
  Result<std::unique_ptr<plugin::Stream>> wrap(const plugin::Endpoint& endpoint,
                                               std::unique_ptr<plugin::Stream> root) const;

  std::vector<plugin::Transport> transports_;  // top first; the last is the root
};

}  // namespace cb::stream
