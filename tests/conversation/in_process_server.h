// SPDX-License-Identifier: Apache-2.0
//
// The server's real sessions over its real back end, without sockets or a daemon: everything runs
// in the caller's thread but what goes to workers, and time stands still unless it is put forward
// (virtual_time.h). One thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/server/backend.h"
#include "core/server/drill_book.h"
#include "core/server/v3_service.h"
#include "core/server/v4_service.h"
#include "core/stream/run_coroutine.h"
#include "tests/conversation/invariant.h"
#include "tests/conversation/memory_transport.h"
#include "tests/conversation/virtual_time.h"

namespace cb::conversation {

class InProcessServer;

// One connection as the peer has it.
class Line {
 public:
  Line(InProcessServer& server, int version, const std::string& address);
  ~Line();  // closes and lets the session end, whatever that takes
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // Sends all of it as the server takes it. False when it does not: it has closed, or is itself
  // not read.
  bool send(ByteView bytes);
  // What has come and was not taken.
  Bytes inbox;
  // Takes what has come; false after stop_reading.
  bool receive();
  // Is no more to come?
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool session_is_over() const { return session_->done(); }
  void stop_reading(bool stop) { reads_ = !stop; }
  // No more bytes; answers still come.
  void end_sending();
  void close();

  [[nodiscard]] const Bytes& binding() const { return binding_; }

 private:
  InProcessServer& server_;
  int fd_ = -1;
  bool reads_ = true;
  bool ended_ = false;
  Bytes binding_;
  std::optional<stream::test::Running<void>> session_;
};

class InProcessServer {
 public:
  struct Options {
    std::string name;                                    // of its folder
    std::function<void(InProcessServer&)> prepare = {};  // what every beginning has
    std::function<void(server::Settings&)> set = {};
  };
  explicit InProcessServer(Options options);
  ~InProcessServer();
  InProcessServer(const InProcessServer&) = delete;
  InProcessServer& operator=(const InProcessServer&) = delete;

  // Forgets everything but what `prepare` left. No line is open.
  void begin_anew();

  server::Backend& backend() { return *backend_; }
  server::V3Service& v3() { return *v3_; }
  server::V4Service& v4() { return *v4_; }
  const VirtualClock& clock() const { return clock_; }
  FuzzLog& log() { return log_; }
  const server::Settings& settings() const { return settings_; }

  // Runs until `done` or until nothing moves any more without time or a peer; true: done.
  bool run_until(const std::function<bool()>& done);
  void run_to_rest() {
    run_until([] { return false; });
  }

  // No session, no buffer, nothing queued: what must hold when no line is open.
  void check_at_rest();
  // The store has nothing that the catalog does not know.
  void check_store();
  // The engine's own check of a repository.
  void check_repository(const repository::RepositoryId& repository);

 private:
  friend class Line;
  void open();
  void open_services();
  void close();
  bool is_quiet();
  boost::asio::awaitable<void> serve(int version, std::unique_ptr<plugin::Stream> stream);

  const Options options_;
  const os::Path home_;
  FuzzLog log_;
  VirtualClock clock_;
  server::Seams seams_;
  server::Settings settings_;
  boost::asio::io_context context_{1};
  std::unique_ptr<plugin::Registry> registry_;
  stream::Workers workers_{0}, readers_{1};  // inline_workers.cpp: the first has no thread
  stream::BufferPool buffers_{128 * 1024, 8 * 1024 * 1024};
  FarEnd next_;
  std::unique_ptr<MemoryTransport> transport_;

  std::unique_ptr<server::Backend> backend_;
  std::unique_ptr<server::Audit> audit_;
  std::unique_ptr<server::LastSeen> seen_;
  std::unique_ptr<server::DrillBook> drills_;
  std::unique_ptr<server::V3Policy> policy_;
  std::optional<plugin::Crypto> legacy_;
  std::unique_ptr<server::V3Service> v3_;
  std::unique_ptr<server::V4Service> v4_;
};

}  // namespace cb::conversation
