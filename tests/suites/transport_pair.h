// SPDX-License-Identifier: Apache-2.0
//
// What the transport suites stand on: plugins through the real loader, two ends of a stack on the
// loopback, and patience with a limit. Used by one thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/log/capture.h"
#include "core/plugin/registry.h"
#include "core/plugin/transport.h"

namespace cb::test {

using Options = std::map<std::string, std::string>;
using StreamPtr = std::unique_ptr<plugin::Stream>;

// The lines that plugins have logged.
log::Capture& plugin_log();

// An instance of a plugin of the build, "transport-tcp".
Result<plugin::Transport> try_make(const std::string& id, const Options& options);
// The same; a failure ends the test program.
plugin::Transport make(const std::string& id, const Options& options = {});

// A folder that is gone with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// Both ends of one connection. `server` and `client` have had no handshake yet.
struct Pair {
  StreamPtr client;
  StreamPtr server;
};

// A listener on the loopback and the filters of both ends, bottom first.
struct Ends {
  plugin::Transport tcp;
  std::vector<plugin::Transport> client_filters;
  std::vector<plugin::Transport> server_filters;
  std::string peer_name = "localhost";

  [[nodiscard]] plugin::Listener listen(const std::string& address = "127.0.0.1") const;
  // Connects to the listener; fails with what wrap says.
  Result<Pair> try_connect(plugin::Listener& listener) const;
  [[nodiscard]] Pair connect(plugin::Listener& listener) const;
  [[nodiscard]] Result<StreamPtr> wrap_client(StreamPtr root, uint16_t port) const;
  [[nodiscard]] Result<StreamPtr> wrap_server(StreamPtr root) const;
};

// Waits until the descriptor of `stream` is ready for `step`; false after ten seconds.
bool wait_for(const plugin::Stream& stream, plugin::IoStep step);
// Is the descriptor ready now? `events` as of poll.
bool is_ready(int fd, short events);

// Drives one end alone.
Status shake_hands(plugin::Stream& stream);
Result<size_t> read_some(plugin::Stream& stream, ByteSpan into);  // 0 = the end
Status write_all(plugin::Stream& stream, ByteView from);
Status shut_down(plugin::Stream& stream);
// Reads until the end.
Result<Bytes> read_to_end(plugin::Stream& stream);

// Drives both ends until both stand; the results of the two.
struct Hands {
  Status client;
  Status server;
};
Hands shake_hands(Pair& pair);

// Sends `content` from one end to the other, as both get ready.
Result<Bytes> transfer(plugin::Stream& from, plugin::Stream& to, ByteView content,
                       size_t read_size = 64U << 10);

// Bytes that differ from seed to seed.
Bytes pattern(size_t size, uint32_t seed);

// How many descriptors this process has open.
size_t open_descriptors();

}  // namespace cb::test
