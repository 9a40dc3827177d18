// SPDX-License-Identifier: Apache-2.0
//
// One listener of the daemon: accepts connections, asks whether there is room, brings their
// transports up and hands them to the protocol. Opened and closed by the daemon's thread; accepting
// runs on a strand of its own.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <future>
#include <memory>

#include "core/log/log.h"
#include "core/server/sessions.h"
#include "core/server/v3_service.h"
#include "core/stream/io_threads.h"
#include "core/stream/listener.h"
#include "core/stream/stack.h"

namespace cb::server {

class Door {
 public:
  // All outlive the door and its sessions.
  struct Parts {
    stream::IoThreads* threads = nullptr;
    V3Service* v3 = nullptr;
    std::shared_ptr<Sessions> sessions;
    log::Log* log = nullptr;
  };

  // Makes the transports and listens; nothing is accepted yet. `settings` outlives the door.
  static Result<std::unique_ptr<Door>> open(const ListenSettings& settings,
                                            plugin::Registry& registry, Parts parts);
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  // Begins to accept.
  void start();
  // Stops accepting; the port is free when `wait_closed` returns. Sessions go on.
  void close();
  void wait_closed();

  // Rereads certificates and the like; an error leaves what was. Code::unsupported is no failure.
  Status reload() const;

  [[nodiscard]] uint16_t port() const { return listener_->port(); }
  [[nodiscard]] const ListenSettings& settings() const { return settings_; }
  // What tells it from the other doors: two with port 0 may have one name.
  [[nodiscard]] std::string key() const {
    return settings_.host + " " + std::to_string(listener_->port());
  }

 private:
  Door(const ListenSettings& settings, stream::Stack stack, Parts parts);

  boost::asio::awaitable<void> accept_all();
  void receive(std::unique_ptr<plugin::Stream> root);
  static boost::asio::awaitable<void> serve(const Door& door, Sessions::Ticket ticket,
                                            std::unique_ptr<stream::Connection> connection);

  const ListenSettings& settings_;
  stream::Stack stack_;
  Parts parts_;
  boost::asio::any_io_executor strand_;
  std::unique_ptr<stream::Listener> listener_;
  std::promise<void> closed_;
  bool started_ = false;
};

}  // namespace cb::server
