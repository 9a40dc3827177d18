// SPDX-License-Identifier: Apache-2.0
#include "tests/suites/transport_pair.h"

#include <dirent.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>

#include "tests/folders.h"

namespace cb::test {

using plugin::IoResult;
using plugin::IoStep;

namespace {

constexpr int kPatienceMs = 10'000;

plugin::Registry& registry() {
  static plugin::Registry made(
      [] {
        plugin::HostServices services;
        services.log = &plugin_log();
        services.clock = &os::system_clock();
        services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
        services.host_name = "transport suite";
        services.host_version = "1";
        return services;
      }(),
      [] {
        plugin::LoadOptions options;
        options.folder = test::plugins();
        options.check_owner = false;
        options.probe_unknown = false;
        return options;
      }());
  return made;
}

bool wants(IoStep step) { return step == IoStep::want_read || step == IoStep::want_write; }

Error impatient() { return fail(Code::timeout, "test", "the other end did not move"); }

// Calls `step` until it stops wanting.
template <typename Step>
auto drive(plugin::Stream& stream, Step step) -> decltype(step()) {
  for (;;) {
    auto result = step();
    if (!result) return result;
    IoStep next{};
    if constexpr (std::is_same_v<std::decay_t<decltype(*result)>, IoResult>)
      next = result->step;
    else
      next = *result;
    if (!wants(next)) return result;
    if (!wait_for(stream, next)) return failed(impatient());
  }
}

}  // namespace

log::Capture& plugin_log() {
  static log::Capture capture;
  return capture;
}

Result<plugin::Transport> try_make(const std::string& id, const Options& options) {
  CB_TRY(registry().load(id));
  CB_ASSIGN(const config::Schema* schema, registry().schema(id));
  CB_ASSIGN(const config::Values values, config::values_from(*schema, options));
  return registry().make_transport(id, values);
}

plugin::Transport make(const std::string& id, const Options& options) {
  Result<plugin::Transport> made = try_make(id, options);
  if (made) return *made;
  std::fprintf(stderr, "%s\n", made.error().text().c_str());
  std::abort();
}

TemporaryFolder::TemporaryFolder() {
  static std::atomic<int> count{0};
  path_ = std::filesystem::temp_directory_path() /
          ("cb-transport-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
  std::filesystem::create_directories(path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

plugin::Listener Ends::listen(const std::string& address) const {
  plugin::Endpoint endpoint;
  endpoint.direction = CB_ENDPOINT_LISTEN;
  endpoint.address = address;
  Result<plugin::Listener> listener = tcp.listen(endpoint);
  if (listener) return std::move(*listener);
  std::fprintf(stderr, "%s\n", listener.error().text().c_str());
  std::abort();
}

Result<StreamPtr> Ends::wrap_client(StreamPtr root, uint16_t port) const {
  plugin::Endpoint endpoint;
  endpoint.address = "127.0.0.1";
  endpoint.port = port;
  endpoint.peer_name = peer_name;
  for (const plugin::Transport& filter : client_filters) {
    CB_ASSIGN(root, filter.wrap(endpoint, std::move(root)));
  }
  return root;
}

Result<StreamPtr> Ends::wrap_server(StreamPtr root) const {
  plugin::Endpoint endpoint;
  endpoint.direction = CB_ENDPOINT_ACCEPTED;
  for (const plugin::Transport& filter : server_filters) {
    CB_ASSIGN(root, filter.wrap(endpoint, std::move(root)));
  }
  return root;
}

Result<Pair> Ends::try_connect(plugin::Listener& listener) const {
  plugin::Endpoint endpoint;
  endpoint.address = "127.0.0.1";
  endpoint.port = listener.port();
  CB_ASSIGN(StreamPtr near, tcp.connect(endpoint));
  pollfd ready{listener.fd(), POLLIN, 0};
  ::poll(&ready, 1, kPatienceMs);
  CB_ASSIGN(StreamPtr far, listener.accept());
  if (!far) return failed(impatient());
  Pair pair;
  CB_ASSIGN(pair.client, wrap_client(std::move(near), listener.port()));
  CB_ASSIGN(pair.server, wrap_server(std::move(far)));
  return pair;
}

Pair Ends::connect(plugin::Listener& listener) const {
  Result<Pair> pair = try_connect(listener);
  if (pair) return std::move(*pair);
  std::fprintf(stderr, "%s\n", pair.error().text().c_str());
  std::abort();
}

bool wait_for(const plugin::Stream& stream, IoStep step) {
  const short events = step == IoStep::want_read ? POLLIN : POLLOUT;
  pollfd ready{stream.fd(), events, 0};
  return ::poll(&ready, 1, kPatienceMs) == 1;
}

bool is_ready(int fd, short events) {
  pollfd ready{fd, events, 0};
  return ::poll(&ready, 1, 0) == 1 && (ready.revents & events) != 0;
}

Status shake_hands(plugin::Stream& stream) {
  CB_TRY(drive(stream, [&] { return stream.handshake(); }));
  return {};
}

Result<size_t> read_some(plugin::Stream& stream, ByteSpan into) {
  CB_ASSIGN(const IoResult read, drive(stream, [&] { return stream.read(into); }));
  return read.step == IoStep::end ? size_t{0} : read.bytes;
}

Status write_all(plugin::Stream& stream, ByteView from) {
  while (!from.empty()) {
    CB_ASSIGN(const IoResult wrote, drive(stream, [&] { return stream.write(from); }));
    from = from.subspan(wrote.bytes);
  }
  return {};
}

Status shut_down(plugin::Stream& stream) {
  CB_TRY(drive(stream, [&] { return stream.shutdown(); }));
  return {};
}

Result<Bytes> read_to_end(plugin::Stream& stream) {
  Bytes all;
  Bytes part(16U << 10);
  for (;;) {
    CB_ASSIGN(const size_t got, read_some(stream, part));
    if (got == 0) return all;
    all.insert(all.end(), part.begin(), part.begin() + static_cast<ptrdiff_t>(got));
  }
}

namespace {

short events_of(const std::optional<Result<IoStep>>& step) {
  if (!step || !*step || !wants(**step)) return 0;
  return **step == IoStep::want_read ? POLLIN : POLLOUT;
}

// Waits until one of two is ready for its events; false when neither waits or the time is over.
bool wait_for_one(const plugin::Stream& a, short a_events, const plugin::Stream& b, short b_events,
                  int patience_ms) {
  pollfd ready[2] = {{a_events != 0 ? a.fd() : -1, a_events, 0},
                     {b_events != 0 ? b.fd() : -1, b_events, 0}};
  if (a_events == 0 && b_events == 0) return false;
  return ::poll(ready, 2, patience_ms) >= 1;
}

Status status_of(const std::optional<Result<IoStep>>& step) {
  if (!step) return failed(impatient());
  if (!*step) return failed(step->error());
  if (wants(**step)) return failed(impatient());
  return {};
}

}  // namespace

Hands shake_hands(Pair& pair) {
  std::optional<Result<IoStep>> client, server;
  for (;;) {
    if (!client || events_of(client) != 0) client = pair.client->handshake();
    if (!server || events_of(server) != 0) server = pair.server->handshake();
    // After a failure the other end hears of it, or waits for ever: no reason to wait long.
    const int patience = *client && *server ? kPatienceMs : 100;
    if (!wait_for_one(*pair.client, events_of(client), *pair.server, events_of(server), patience))
      break;
  }
  return {status_of(client), status_of(server)};
}

Result<Bytes> transfer(plugin::Stream& from, plugin::Stream& to, ByteView content,
                       size_t read_size) {
  const size_t size = content.size();
  Bytes arrived;
  Bytes part(read_size);
  while (arrived.size() < size) {
    IoResult wrote;
    if (!content.empty()) {
      CB_ASSIGN(wrote, from.write(content));
      content = content.subspan(wrote.bytes);
    }
    CB_ASSIGN(const IoResult read, to.read(part));
    if (read.step == IoStep::end) return failed(Code::closed, "test", "an early end");
    arrived.insert(arrived.end(), part.begin(), part.begin() + static_cast<ptrdiff_t>(read.bytes));
    const bool stuck = wrote.bytes == 0 && read.bytes == 0;
    if (stuck && !wait_for(to, read.step)) return failed(impatient());
  }
  return arrived;
}

Bytes pattern(size_t size, uint32_t seed) {
  std::minstd_rand random(seed + 1);
  Bytes bytes(size);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random() >> 8);
  return bytes;
}

size_t open_descriptors() {
  size_t count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (folder != nullptr && ::readdir(folder) != nullptr) ++count;
  if (folder != nullptr) ::closedir(folder);
  return count;
}

}  // namespace cb::test
