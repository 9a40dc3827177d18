// SPDX-License-Identifier: Apache-2.0
//
// A v3 server for tests that does what a script says, over plain sockets on a thread of its own.
// Create, run a client, join, then look at what came.
#pragma once

#include <atomic>
#include <functional>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/protocol/v3/messages.h"

namespace cb::testing {

struct ReceivedRequest {
  size_t connection = 0;  // counted from 0
  protocol::RequestHeader header;
  Bytes payload;

  [[nodiscard]] v3::Request kind() const;
  [[nodiscard]] std::string name() const;  // of a request that begins with a name
};

// The client closed the connection, or never sent what the script waits for.
class PeerGone : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The server's end of one connection.
class Peer {
 public:
  Peer(int fd, size_t index, std::vector<ReceivedRequest>& log);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // The next request; throws PeerGone at the end of the connection.
  ReceivedRequest read();
  // The same, and a failure of the test when it is another one.
  ReceivedRequest expect(v3::Request kind);
  // A whole file: packets from 1 to the last. The content alone.
  Bytes read_file();
  // `size` bytes that no header counts (the dialect of 2023).
  Bytes read_uncounted(size_t size);

  void reply(v3::Reply kind, std::initializer_list<ByteView> parts = {},
             v3::Dialect dialect = v3::Dialect::usual);
  void raw(ByteView bytes);
  // Waits until the client closes.
  void wait_for_end();

  [[nodiscard]] size_t index() const { return index_; }

 private:
  int fd_;
  size_t index_;
  std::vector<ReceivedRequest>& log_;
};

class ScriptedServer {
 public:
  // Called for each connection, one after the other.
  using Script = std::function<void(Peer&)>;

  explicit ScriptedServer(Script script);
  ~ScriptedServer();

  [[nodiscard]] uint16_t port() const { return port_; }
  // Stops and gives everything that was received. The client is done by then.
  const std::vector<ReceivedRequest>& join();
  // The kinds of what was received, in order; call after join.
  [[nodiscard]] std::vector<uint16_t> codes() const;
  [[nodiscard]] size_t connections() const { return connections_; }

 private:
  void serve();

  Script script_;
  int listener_ = -1;
  int stop_pipe_[2] = {-1, -1};
  uint16_t port_ = 0;
  size_t connections_ = 0;
  std::vector<ReceivedRequest> log_;
  std::thread thread_;
};

// A port on which nobody listens.
uint16_t refused_port();

}  // namespace cb::testing
