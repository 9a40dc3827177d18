// SPDX-License-Identifier: Apache-2.0
//
// One listener of the daemon: accepts connections, asks whether there is room, brings their
// transports up and hands them to the protocol. Opened and closed by the daemon's thread; accepting
// runs on a strand of its own.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <future>
#include <memory>

#include "core/log/log.h"
#include "core/protocol/header.h"
#include "core/server/sessions.h"
#include "core/server/v3_service.h"
#include "core/server/v4_service.h"
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
    V4Service* v4 = nullptr;
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

  // What a listener like this one would serve with other settings: what they say, and in a mode
  // what of it the transport can bear. Code::unsupported when they ask for protocol 4 where
  // anybody could read and change it.
  Result<std::vector<int>> versions_for(const ListenSettings& wanted,
                                        bool unsafe_plain_transport) const;
  // Takes them, for connections that come from now on; sessions of protocol 3 end at their next
  // request when it is not among them.
  void serve_versions(const std::vector<int>& versions);
  // Those in force. From any thread.
  [[nodiscard]] std::vector<int> versions() const;
  [[nodiscard]] bool serves(int version) const {
    return (versions_.load() >> static_cast<unsigned>(version) & 1U) != 0;
  }

  [[nodiscard]] uint16_t port() const { return listener_->port(); }
  [[nodiscard]] const ListenSettings& settings() const { return settings_; }
  // What tells it from the other doors: two with port 0 may have one name.
  [[nodiscard]] std::string key() const {
    return settings_.host + " " + std::to_string(listener_->port());
  }

 private:
  Door(const ListenSettings& settings, stream::Stack stack, Parts parts);

  boost::asio::awaitable<void> accept_all();
  stream::Task<void> accept_one();
  void receive(std::unique_ptr<plugin::Stream> root);
  static stream::Task<size_t> read_first(const Door& door, stream::Connection& connection,
                                         protocol::RequestHeaderBytes& first);
  static boost::asio::awaitable<void> serve(const Door& door, Sessions::Ticket ticket,
                                            std::unique_ptr<stream::Connection> connection);

  const ListenSettings& settings_;
  std::atomic<uint32_t> versions_{0};  // a bit for each
  stream::Stack stack_;
  Parts parts_;
  boost::asio::any_io_executor strand_;
  std::unique_ptr<stream::Listener> listener_;
  std::promise<void> closed_;
  bool started_ = false;
};

}  // namespace cb::server
