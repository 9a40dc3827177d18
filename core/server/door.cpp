// SPDX-License-Identifier: Apache-2.0
#include "core/server/door.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/protocol/v4/codes.h"
#include "core/server/peer_address.h"
#include "core/server/thrown.h"

namespace cb::server {
namespace {

namespace asio = boost::asio;

// After a failed accept that is not one peer's fault.
constexpr auto kPause = std::chrono::milliseconds(100);

}  // namespace

Result<std::unique_ptr<Door>> Door::open(const ListenSettings& settings, plugin::Registry& registry,
                                         Parts parts) {
  std::vector<plugin::Transport> transports;
  for (const PluginUse& use : settings.transport) {
    auto transport = registry.make_transport(use.id, use.values);
    if (!transport) {
      transport.error().object = use.table.at.text() + ": " + use.table_name;
      return failed(std::move(transport).error());
    }
    transports.push_back(std::move(*transport));
  }
  auto stack = stream::Stack::make(std::move(transports));
  if (!stack) {
    stack.error().object = settings.at.text() + ": listener " + settings.name;
    return failed(std::move(stack).error());
  }
  std::unique_ptr<Door> door(new Door(settings, std::move(*stack), std::move(parts)));
  CB_ASSIGN(const std::vector<int> versions,
            door->versions_for(settings, door->parts_.v4->settings().unsafe_plain_transport));
  door->serve_versions(versions);
  auto listener = door->stack_.listen(settings.host, settings.port);
  if (!listener) {
    listener.error().object = settings.at.text() + ": " + listener.error().object;
    return failed(std::move(listener).error());
  }
  door->listener_ = std::make_unique<stream::Listener>(door->strand_, std::move(*listener));
  return door;
}

Door::Door(const ListenSettings& settings, stream::Stack stack, Parts parts)
    : settings_(settings),
      stack_(std::move(stack)),
      parts_(std::move(parts)),
      strand_(parts_.threads->make_strand()) {}

// Protocol 4 leaves secrecy and the server's identity to the transport.
Result<std::vector<int>> Door::versions_for(const ListenSettings& wanted,
                                            bool unsafe_plain_transport) const {
  constexpr uint64_t kNeeded = CB_TRANSPORT_ENCRYPTS | CB_TRANSPORT_AUTHENTICATES_PEER;
  const bool is_safe = (stack_.capabilities() & kNeeded) == kNeeded;
  if (is_safe || !wanted.serves(v4::kVersion)) return wanted.versions;
  if (wanted.mode) return wanted.serves(3) ? std::vector<int>{3} : std::vector<int>{};
  if (unsafe_plain_transport) {
    parts_.log->warn("listener.unsafe", {{"listener", settings_.name},
                                         {"advice", "anybody can read and change protocol 4"}});
    return wanted.versions;
  }
  return failed(Code::unsupported, wanted.at.text() + ": listener " + settings_.name,
                "protocol 4 needs a transport that encrypts and authenticates",
                "write transport = [\"tls\", \"tcp\"], or versions = [3]");
}

void Door::serve_versions(const std::vector<int>& versions) {
  uint32_t bits = 0;
  for (const int version : versions) bits |= 1U << static_cast<unsigned>(version);
  versions_ = bits;
  if (!versions.empty()) return;
  parts_.log->warn("listener.serves-nothing",
                   {{"listener", settings_.name},
                    {"advice", "its transport is too plain for mode secure: put tls over it"}});
}

std::vector<int> Door::versions() const {
  std::vector<int> all;
  for (const int version : {3, 4})
    if (serves(version)) all.push_back(version);
  return all;
}

void Door::start() {
  started_ = true;
  asio::co_spawn(strand_, accept_all(), [this](const std::exception_ptr& thrown) {
    if (thrown)
      parts_.log->error("listener.failed",
                        {{"listener", settings_.name}, {"cause", text_of(thrown)}});
    closed_.set_value();
  });
}

void Door::close() { listener_->cancel(); }

void Door::wait_closed() {
  if (started_) closed_.get_future().wait();
  started_ = false;
}

Status Door::reload() const {
  const Status done = stack_.reload();
  if (!done && done.error().code == Code::unsupported) return {};
  return done;
}

asio::awaitable<void> Door::accept_all() {
  while (true) {
    Status accepted;
    std::exception_ptr thrown;
    try {
      accepted = co_await accept_one();
    } catch (...) {
      thrown = std::current_exception();
    }
    // A door that want of memory closes would stay closed.
    if (thrown) accepted = failed(error_of(thrown, settings_.name));
    if (accepted) continue;
    if (accepted.error().code == Code::cancelled) break;
    parts_.log->error("listener.accept-failed",
                      {{"listener", settings_.name}, {"cause", accepted.error().text()}});
    asio::steady_timer pause(strand_, kPause);
    co_await pause.async_wait(asio::use_awaitable);
  }
  co_await listener_->close();
}

stream::Task<void> Door::accept_one() {
  CB_CO_ASSIGN(std::unique_ptr<plugin::Stream> accepted, co_await listener_->accept());
  receive(std::move(accepted));
  co_return Status{};
}

void Door::receive(std::unique_ptr<plugin::Stream> root) {
  auto stream = stack_.wrap_accepted(std::move(root));
  if (!stream) {
    parts_.log->warn("connection.refused",
                     {{"listener", settings_.name}, {"cause", stream.error().text()}});
    return;
  }
  const auto strand = parts_.threads->make_strand();
  auto connection = std::make_unique<stream::Connection>(strand, std::move(*stream));
  const std::string peer = connection->peer();
  auto ticket =
      parts_.sessions->admit({without_port(peer), key(), settings_.max_connections}, *connection);
  if (!ticket) {
    parts_.log->warn("connection.refused", {{"peer", peer},
                                            {"listener", settings_.name},
                                            {"cause", ticket.error().cause},
                                            {"advice", ticket.error().advice}});
    return;
  }
  asio::co_spawn(strand, serve(*this, std::move(*ticket), std::move(connection)),
                 [log = parts_.log, peer](const std::exception_ptr& thrown) {
                   if (thrown)
                     log->error("session.failed", {{"peer", peer}, {"cause", text_of(thrown)}});
                 });
}

// Where both versions are served, the first header tells which it is. All of it comes within the
// time of a login, or the connection ends: who trickles it does not live longer.
stream::Task<size_t> Door::read_first(const Door& door, stream::Connection& connection,
                                      protocol::RequestHeaderBytes& first) {
  const auto deadline = std::chrono::steady_clock::now() + door.parts_.v4->settings().login_timeout;
  for (ByteSpan rest(first); !rest.empty();) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left.count() <= 0) co_return failed(Code::timeout, connection.peer(), "says nothing");
    connection.set_read_timeout(left);
    CB_CO_ASSIGN(const size_t got, co_await connection.read_some(rest));
    if (got == 0) co_return failed(Code::closed, connection.peer(), "ended before its request");
    rest = rest.subspan(got);
  }
  co_return first.size();
}

// The ticket is moved into the body, so that it goes before the connection of the parameters does.
asio::awaitable<void> Door::serve(const Door& door, Sessions::Ticket ticket,
                                  std::unique_ptr<stream::Connection> connection) {
  const Sessions::Ticket held = std::move(ticket);
  const auto timeout = door.parts_.sessions->limits().handshake_timeout;
  const Status up = co_await connection->handshake(timeout);
  if (!up) {
    door.parts_.log->warn("session.handshake-failed", {{"peer", connection->peer()},
                                                       {"listener", door.settings_.name},
                                                       {"cause", up.error().cause}});
    co_await connection->close();
    co_return;
  }
  const bool both = door.serves(3) && door.serves(v4::kVersion);
  bool is_v4 = !both && door.serves(v4::kVersion);
  protocol::RequestHeaderBytes first{};
  size_t begun = 0;
  if (both) {
    const Result<size_t> came = co_await read_first(door, *connection, first);
    if (!came) {
      co_await connection->close();
      co_return;
    }
    begun = *came;
    is_v4 = protocol::decode_request_header(first).version == v4::kVersion;
  }
  const ByteView came = ByteView(first).first(begun);
  if (is_v4) co_return co_await door.parts_.v4->serve(std::move(connection), came);
  V3Listener listener{door.settings_.name, door.settings_.dialect,
                      [&door] { return door.serves(3); }};
  co_await door.parts_.v3->serve(std::move(connection), std::move(listener), came);
}

}  // namespace cb::server
