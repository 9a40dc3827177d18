// SPDX-License-Identifier: Apache-2.0
#include "core/server/door.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cb::server {
namespace {

namespace asio = boost::asio;

// After a failed accept that is not one peer's fault.
constexpr auto kPause = std::chrono::milliseconds(100);

std::string without_port(const std::string& peer) { return peer.substr(0, peer.rfind(':')); }

std::string text_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

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
    auto accepted = co_await listener_->accept();
    if (accepted) {
      receive(std::move(*accepted));
      continue;
    }
    if (accepted.error().code == Code::cancelled) break;
    parts_.log->error("listener.accept-failed",
                      {{"listener", settings_.name}, {"cause", accepted.error().text()}});
    asio::steady_timer pause(strand_, kPause);
    co_await pause.async_wait(asio::use_awaitable);
  }
  co_await listener_->close();
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
  co_await door.parts_.v3->serve(std::move(connection), door.settings_.dialect);
}

}  // namespace cb::server
