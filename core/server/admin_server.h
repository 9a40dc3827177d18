// SPDX-License-Identifier: Apache-2.0
//
// The daemon's Unix socket for its operator: one JSON line in, one JSON line out, with lines
// of progress before it. Only root and the daemon's own user are answered, and each request learns
// from the kernel who asks. Opened and closed by one thread; serves on the io threads.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/log/log.h"
#include "core/os/file_system.h"
#include "core/report/json.h"
#include "core/server/audit.h"
#include "core/stream/io_threads.h"
#include "core/stream/workers.h"

namespace cb::server {

// An operator as requests, the log and the audit log name one: "uid 1000 (eve)"; "uid 1000" when
// the system knows no such user. May ask the system for the name: blocks. Thread-safe.
std::string operator_text(uint32_t uid);

class AdminServer {
 public:
  struct Parts {
    stream::IoThreads* threads = nullptr;
    stream::Workers* workers = nullptr;  // where requests are answered
    log::Log* log = nullptr;
    Audit* audit = nullptr;
    std::vector<uint32_t> operators = {};  // further users who are answered
  };

  // Tells how far a command is; false when nobody waits for it any more.
  using Progress = std::function<bool(uint64_t done, uint64_t total)>;
  // Answers a request; may block. The member "asked_by" of `request` is the peer's
  // `operator_text`, whatever the peer wrote there.
  using Answer = std::function<Result<report::Json>(const report::Json& request, const Progress&)>;

  // Listens at `path` (0600), replacing a socket that a dead daemon left.
  static Result<std::unique_ptr<AdminServer>> open(const os::Path& path, Parts parts,
                                                   Answer answer);
  ~AdminServer();  // the io threads have been joined
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // Ends all requests, closes the socket and removes its file; waits until that is done.
  void close();

 private:
  struct State;
  explicit AdminServer(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

// Sends one request ({"command": ...}) to the daemon whose socket is `path` and returns the
// "result" member of its answer, or nothing when no daemon listens there. The daemon's own error
// when it refuses. Blocks for at most `timeout` without a sign of life; `progress` may be empty.
Result<std::optional<report::Json>> ask_daemon_if_any(
    const os::Path& path, const report::Json& request, std::chrono::nanoseconds timeout,
    const std::function<void(uint64_t done, uint64_t total)>& progress = {});

// The same for a command without arguments; Code::not_found when no daemon listens there.
Result<report::Json> ask_daemon(const os::Path& path, const std::string& command,
                                std::chrono::nanoseconds timeout);

}  // namespace cb::server
