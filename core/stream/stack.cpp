// SPDX-License-Identifier: Apache-2.0
#include "core/stream/stack.h"

#include <algorithm>

#include "core/stream/race.h"

namespace cb::stream {

using plugin::Endpoint;
using StreamPtr = std::unique_ptr<plugin::Stream>;

Result<Stack> Stack::make(std::vector<plugin::Transport> top_first) {
  if (top_first.empty()) {
    return failed(Code::invalid, "transport", "the list of transports is empty",
                  "write for example transport = [\"tls\", \"tcp\"]");
  }
  for (size_t i = 0; i < top_first.size(); ++i) {
    const bool last = i + 1 == top_first.size();
    const uint64_t kind = last ? CB_TRANSPORT_ROOT : CB_TRANSPORT_FILTER;
    if ((top_first[i].capabilities() & kind) != 0) continue;
    return failed(
        Code::invalid, "transport",
        "entry " + std::to_string(i + 1) +
            (last ? " is the last and cannot stand alone" : " cannot stand above another"),
        "a stack is any number of filters and then one root: [\"tls\", \"tcp\"]");
  }
  return Stack(std::move(top_first));
}

Result<plugin::Listener> Stack::listen(const std::string& address, uint16_t port,
                                       uint32_t backlog) const {
  Endpoint endpoint;
  endpoint.direction = CB_ENDPOINT_LISTEN;
  endpoint.address = address;
  endpoint.port = port;
  endpoint.backlog = backlog;
  if ((transports_.back().capabilities() & CB_TRANSPORT_LISTEN) == 0) {
    return failed(Code::unsupported, "transport", "this transport cannot listen");
  }
  return transports_.back().listen(endpoint);
}

Result<StreamPtr> Stack::wrap(const Endpoint& endpoint, StreamPtr root) const {
  for (size_t i = transports_.size() - 1; i-- > 0;) {
    CB_ASSIGN(root, transports_[i].wrap(endpoint, std::move(root)));
  }
  return root;
}

Result<StreamPtr> Stack::wrap_accepted(StreamPtr root) const {
  Endpoint endpoint;
  endpoint.direction = CB_ENDPOINT_ACCEPTED;
  return wrap(endpoint, std::move(root));
}

Result<StreamPtr> Stack::begin(const std::string& address, uint16_t port,
                               const std::string& peer_name) const {
  Endpoint endpoint;
  endpoint.address = address;
  endpoint.port = port;
  endpoint.peer_name = peer_name;
  CB_ASSIGN(StreamPtr root, transports_.back().connect(endpoint));
  return wrap(endpoint, std::move(root));
}

uint64_t Stack::capabilities() const {
  uint64_t all = 0;
  for (const plugin::Transport& transport : transports_) all |= transport.capabilities();
  return all;
}

Status Stack::reload() const {
  Status first;
  for (const plugin::Transport& transport : transports_) {
    Status status = transport.reload();
    if (!status && status.error().code == Code::unsupported) continue;
    if (!status && first) first = std::move(status);
  }
  return first;
}

namespace {

using Moment = std::chrono::steady_clock::time_point;

std::chrono::nanoseconds left_until(Moment deadline) {
  // Zero would mean to wait for ever.
  return std::max<std::chrono::nanoseconds>(deadline - std::chrono::steady_clock::now(),
                                            std::chrono::nanoseconds(1));
}

}  // namespace

Task<std::unique_ptr<Connection>> Stack::connect(asio::any_io_executor executor, Target target,
                                                 std::chrono::nanoseconds timeout) const {
  // A copy, for the stack may end before the coroutine does.
  const Stack self = *this;
  return [](Stack stack, asio::any_io_executor on, Target to,
            std::chrono::nanoseconds limit) -> Task<std::unique_ptr<Connection>> {
    const Moment deadline = std::chrono::steady_clock::now() + limit;
    if (to.peer_name.empty()) to.peer_name = to.host;
    CB_CO_ASSIGN(const std::vector<std::string> addresses, co_await resolve(on, to.host, deadline));
    const plugin::Transport root = stack.transports_.back();
    CB_CO_ASSIGN(Winner winner, co_await race(on, root, addresses, to, deadline));
    Endpoint endpoint;
    endpoint.address = winner.address;
    endpoint.port = to.port;
    endpoint.peer_name = to.peer_name;
    CB_CO_ASSIGN(StreamPtr stream, stack.wrap(endpoint, std::move(winner.stream)));
    auto connection = std::make_unique<Connection>(on, std::move(stream));
    const Status stands = co_await connection->handshake(left_until(deadline));
    if (!stands) {
      co_await connection->close();
      co_return failed(stands.error());
    }
    co_return connection;
  }(self, std::move(executor), std::move(target), timeout);
}

}  // namespace cb::stream
