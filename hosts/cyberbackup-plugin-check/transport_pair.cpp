// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup-plugin-check/transport_pair.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace cb::check {
namespace {

using plugin::IoStep;
using plugin::Stream;
using std::chrono::steady_clock;

constexpr int kPatienceMs = 5000;
constexpr auto kPatience = std::chrono::milliseconds(kPatienceMs);

plugin::Endpoint endpoint(uint32_t direction, uint16_t port) {
  plugin::Endpoint endpoint;
  endpoint.direction = direction;
  endpoint.address = "127.0.0.1";
  endpoint.peer_name = "localhost";
  endpoint.port = port;
  return endpoint;
}

Status wait_for_fd(int fd, short events) {
  pollfd wait{fd, events, 0};
  return expect(::poll(&wait, 1, kPatienceMs) == 1,
                "the descriptor was not ready within 5 s of saying what it waits for");
}

// Waits until one of the two can go on.
void wait_for_either(const Stream& a, const Stream& b) {
  pollfd both[] = {{a.fd(), POLLIN, 0}, {b.fd(), POLLIN, 0}};
  (void)::poll(both, 2, 10);
}

}  // namespace

Status wait_for(const Stream& stream, IoStep step) {
  return wait_for_fd(stream.fd(), step == IoStep::want_read ? POLLIN : POLLOUT);
}

bool is_ready(int fd, short events) {
  pollfd now{fd, events, 0};
  return ::poll(&now, 1, 0) == 1;
}

Result<Verdict> with_pairs(Subject& subject, Result<Verdict> (*run)(Subject& subject)) {
  CB_ASSIGN(const cb_descriptor* const found, subject.checked_descriptor());
  constexpr uint64_t kRoot = CB_TRANSPORT_ROOT | CB_TRANSPORT_LISTEN;
  const bool makes_pairs =
      (found->capabilities & CB_TRANSPORT_FILTER) != 0 || (found->capabilities & kRoot) == kRoot;
  if (!makes_pairs) return skipped("a root that does not listen has no second end here");
  return run(subject);
}

Status TransportPair::stand() {
  const auto deadline = steady_clock::now() + kPatience;
  bool client_stands = false;
  bool server_stands = false;
  while (!client_stands || !server_stands) {
    if (!client_stands) {
      CB_ASSIGN(const IoStep step, client->handshake());
      client_stands = step == IoStep::ok;
    }
    if (!server_stands) {
      CB_ASSIGN(const IoStep step, server->handshake());
      server_stands = step == IoStep::ok;
    }
    CB_TRY(expect(steady_clock::now() < deadline, "the handshake did not end within 5 s"));
    if (!client_stands || !server_stands) wait_for_either(*client, *server);
  }
  return {};
}

Result<TransportEnds> TransportEnds::make(Subject& subject) {
  CB_ASSIGN(plugin::Transport own, subject.make<plugin::Transport>());
  const bool filters = (own.capabilities() & CB_TRANSPORT_FILTER) != 0;
  if (!filters) {
    CB_ASSIGN(plugin::Listener listener, own.listen(endpoint(CB_ENDPOINT_LISTEN, 0)));
    plugin::Transport root(own.instance());
    return TransportEnds(std::move(own), std::move(root), std::move(listener), false);
  }
  CB_ASSIGN(Subject* const tcp, subject.other("transport-tcp"));
  CB_ASSIGN(plugin::Transport root, tcp->make<plugin::Transport>());
  CB_ASSIGN(plugin::Listener listener, root.listen(endpoint(CB_ENDPOINT_LISTEN, 0)));
  return TransportEnds(std::move(own), std::move(root), std::move(listener), true);
}

Result<std::unique_ptr<Stream>> TransportEnds::above(std::unique_ptr<Stream> below,
                                                     uint32_t direction) {
  if (!filters_) return below;
  return own_.wrap(endpoint(direction, listener_.port()), std::move(below));
}

Result<std::unique_ptr<Stream>> TransportEnds::accept() {
  CB_TRY(wait_for_fd(listener_.fd(), POLLIN));
  CB_ASSIGN(auto accepted, listener_.accept());
  CB_TRY(expect(accepted != nullptr, "accept found nobody although the listener was readable"));
  return above(std::move(accepted), CB_ENDPOINT_ACCEPTED);
}

Result<TransportPair> TransportEnds::connect() {
  TransportPair pair;
  CB_ASSIGN(auto root, root_.connect(endpoint(CB_ENDPOINT_CONNECT, listener_.port())));
  CB_ASSIGN(pair.client, above(std::move(root), CB_ENDPOINT_CONNECT));
  CB_ASSIGN(pair.server, accept());
  return pair;
}

Result<TransportPair> TransportEnds::stand() {
  CB_ASSIGN(TransportPair pair, connect());
  CB_TRY(pair.stand());
  return pair;
}

Result<std::unique_ptr<Stream>> TransportEnds::accept_plain(int& peer) {
  peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(listener_.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CB_TRY(expect(::connect(peer, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
                "cannot connect a plain socket to the listener"));
  return accept();
}

Status write_all(Stream& stream, ByteView from) {
  while (!from.empty()) {
    CB_ASSIGN(const plugin::IoResult wrote, stream.write(from));
    CB_TRY(expect(wrote.step != IoStep::ok || wrote.bytes > 0, "a write took nothing"));
    from = from.subspan(wrote.bytes);
    if (wrote.step != IoStep::ok) CB_TRY(wait_for(stream, wrote.step));
  }
  return {};
}

Status read_all(Stream& stream, ByteSpan into) {
  while (!into.empty()) {
    CB_ASSIGN(const plugin::IoResult got, stream.read(into));
    CB_TRY(expect(got.step != IoStep::end, "the stream ended although nobody ended it"));
    into = into.subspan(got.bytes);
    if (got.step != IoStep::ok) CB_TRY(wait_for(stream, got.step));
  }
  return {};
}

Status transfer(Stream& from, Stream& to, ByteView content, size_t piece) {
  Bytes came(content.size());
  size_t sent = 0;
  size_t got = 0;
  auto deadline = steady_clock::now() + kPatience;
  while (got < content.size()) {
    const size_t before = sent + got;
    if (sent < content.size()) {
      const size_t size = std::min(piece, content.size() - sent);
      CB_ASSIGN(const plugin::IoResult wrote, from.write(content.subspan(sent, size)));
      sent += wrote.bytes;
    }
    const size_t room = std::min(piece, content.size() - got);
    CB_ASSIGN(const plugin::IoResult read, to.read(ByteSpan(came).subspan(got, room)));
    CB_TRY(expect(read.step != IoStep::end, "the stream ended although nobody ended it"));
    got += read.bytes;
    if (sent + got > before) {
      deadline = steady_clock::now() + kPatience;
      continue;
    }
    CB_TRY(expect(steady_clock::now() < deadline, "nothing moved for 5 s"));
    wait_for_either(from, to);
  }
  return expect(std::ranges::equal(came, content),
                std::to_string(content.size()) + " bytes arrived changed");
}

Status shut_down(Stream& stream) {
  while (true) {
    CB_ASSIGN(const IoStep step, stream.shutdown());
    if (step == IoStep::ok) return {};
    CB_TRY(wait_for(stream, step));
  }
}

}  // namespace cb::check
