// SPDX-License-Identifier: Apache-2.0
#include "tests/conversation/memory_transport.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/plugin/instance.h"

namespace cb::conversation {
namespace {

using Hooks = MemoryTransport::Hooks;

// Set while an instance is made: `create` gets nothing but the host and a configuration.
const Hooks* g_hooks_of_next = nullptr;

// A near end. Bytes of an answerer go through the socket pair, too, so that readiness is real.
struct NearEnd {
  FarEnd far;
  int near = -1;
  int pushing = -1;  // the far end, of an answerer
  Bytes waiting;     // of its answers
  bool ended = false;

  ~NearEnd() {
    if (near >= 0) ::close(near);
    if (pushing >= 0) ::close(pushing);
  }

  void push() {
    if (pushing < 0) return;
    while (!waiting.empty()) {
      const ssize_t sent = ::send(pushing, waiting.data(), waiting.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      waiting.erase(waiting.begin(), waiting.begin() + sent);
    }
    if (ended) ::shutdown(pushing, SHUT_WR);
  }
};

NearEnd& of(cb_stream* stream) { return *reinterpret_cast<NearEnd*>(stream); }
const Hooks& of(cb_instance* instance) { return *reinterpret_cast<const Hooks*>(instance); }

cb_status fails(cb_error* error, cb_status status, const char* why) {
  error->status = status;
  std::strncpy(error->message, why, sizeof error->message - 1);
  return status;
}

cb_status connect(cb_instance* instance, const cb_endpoint*, cb_stream** out, cb_error* error) {
  auto end = std::make_unique<NearEnd>();
  of(instance).connecting(end->far);
  int pair[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
    return fails(error, CB_E_LIMIT, "no socket pair");
  end->near = pair[0];
  if (end->far.answerer)
    end->pushing = pair[1];
  else
    end->far.descriptor = pair[1];
  if (of(instance).connected) of(instance).connected(end->far);
  *out = reinterpret_cast<cb_stream*>(end.release());
  return CB_OK;
}

cb_status handshake(cb_stream*, cb_error*) { return CB_OK; }

cb_status read(cb_stream* stream, void* into, size_t size, size_t* got, cb_error* error) {
  NearEnd& end = of(stream);
  end.push();
  const ssize_t came = ::recv(end.near, into, size, 0);
  if (came > 0) {
    *got = static_cast<size_t>(came);
    return CB_OK;
  }
  if (came == 0) return CB_END;
  if (errno == EAGAIN) return CB_WANT_READ;
  return fails(error, CB_E_CLOSED, "the stream was cut");
}

cb_status write(cb_stream* stream, const void* from, size_t size, size_t* took, cb_error* error) {
  NearEnd& end = of(stream);
  if (end.far.answerer) {
    if (end.ended) return fails(error, CB_E_CLOSED, "the peer is gone");
    end.ended = !end.far.answerer->take({static_cast<const std::byte*>(from), size}, end.waiting);
    end.push();
    *took = size;
    return CB_OK;
  }
  const ssize_t sent = ::send(end.near, from, size, MSG_NOSIGNAL);
  if (sent > 0) {
    *took = static_cast<size_t>(sent);
    return CB_OK;
  }
  if (errno == EAGAIN) return CB_WANT_WRITE;
  return fails(error, CB_E_CLOSED, "the peer is gone");
}

cb_status shut_down(cb_stream* stream, cb_error*) {
  NearEnd& end = of(stream);
  if (end.far.answerer) {
    end.ended = true;
    end.push();
  } else {
    ::shutdown(end.near, SHUT_WR);
  }
  return CB_OK;
}

int32_t fd(cb_stream* stream) { return of(stream).near; }

cb_status info(cb_stream* stream, uint32_t what, void* out, size_t cap, size_t* len) {
  const FarEnd& far = of(stream).far;
  const ByteView address = as_bytes(far.address);
  if (what != CB_INFO_PEER_ADDRESS && what != CB_INFO_CHANNEL_BINDING) return CB_E_UNSUPPORTED;
  const ByteView fact = what == CB_INFO_PEER_ADDRESS ? address : ByteView(far.binding);
  *len = fact.size();
  if (fact.size() > cap) return CB_E_TOO_SMALL;
  std::copy(fact.begin(), fact.end(), static_cast<std::byte*>(out));
  return CB_OK;
}

void close(cb_stream* stream) { delete reinterpret_cast<NearEnd*>(stream); }

cb_status create(const cb_host*, const cb_config*, cb_instance** out, cb_error*) {
  *out = reinterpret_cast<cb_instance*>(const_cast<Hooks*>(g_hooks_of_next));
  return CB_OK;
}

void destroy(cb_instance*) {}

const cb_transport_ops& ops() {
  static const cb_transport_ops table = [] {
    cb_transport_ops made{};
    made.size = sizeof made;
    made.connect = connect;
    made.handshake = handshake;
    made.read = read;
    made.write = write;
    made.shutdown = shut_down;
    made.fd = fd;
    made.info = info;
    made.close = close;
    return made;
  }();
  return table;
}

const cb_descriptor& descriptor() {
  static const cb_descriptor made = [] {
    cb_descriptor all{};
    all.size = sizeof all;
    all.id = "transport-memory";
    all.interface_id = CB_TRANSPORT_INTERFACE;
    all.version = "1.0.0";
    all.vendor = "CyberBackup";
    all.license = "Apache-2.0";
    all.summary = "Streams within one process.";
    all.status = "stable";
    all.posture = "untrusted-peer";
    all.capabilities = CB_TRANSPORT_ROOT | CB_TRANSPORT_ENCRYPTS | CB_TRANSPORT_AUTHENTICATES_PEER;
    all.ops = &ops();
    all.create = create;
    all.destroy = destroy;
    return all;
  }();
  return made;
}

}  // namespace

MemoryTransport::MemoryTransport(log::Log& log, Hooks hooks) : hooks_(std::move(hooks)) {
  plugin::HostServices services;
  services.log = &log;
  services.clock = &os::system_clock();
  services.random = [](const std::string&) -> os::Random& { return os::system_random(); };
  g_hooks_of_next = &hooks_;
  auto made = plugin::Instance::make(descriptor(), {}, {}, services, nullptr);
  if (!made) std::abort();
  instance_ = std::move(*made);
}

MemoryTransport::~MemoryTransport() = default;

plugin::Transport MemoryTransport::transport() const { return plugin::Transport(instance_); }

std::unique_ptr<plugin::Stream> MemoryTransport::connect() const {
  auto stream = transport().connect({});
  if (!stream) std::abort();
  return std::move(*stream);
}

}  // namespace cb::conversation
