// SPDX-License-Identifier: Apache-2.0
#include "stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "address.h"
#include "cyberbackup/cpp/failure.hpp"
#include "cyberbackup/transport.h"

namespace transport_tcp {

namespace {

using cyberbackup::sdk::Failure;
using cyberbackup::sdk::status_of_errno;

constexpr int kKeepaliveProbes = 4;

void set_option(int fd, int level, int name, int value, std::string_view what) {
  if (setsockopt(fd, level, name, &value, sizeof(value)) == 0) return;
  throw Failure(CB_E_IO, "cannot set " + std::string(what), errno);
}

void tune(int fd, const Settings& settings) {
  if (settings.nodelay) set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
  const int idle = settings.keepalive_seconds;
  if (idle <= 0) return;
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE");
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle, "TCP_KEEPIDLE");
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, std::max(1, idle / kKeepaliveProbes), "TCP_KEEPINTVL");
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes, "TCP_KEEPCNT");
}

// A peer that is not there counts as gone, and may come back.
Failure peer_failure(int os_errno, const std::string& peer) {
  switch (os_errno) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return {CB_E_CLOSED, peer + ": " + std::generic_category().message(os_errno), os_errno,
              CB_ERROR_RETRY};
    case ETIMEDOUT:
      return {CB_E_TIMEOUT, peer + ": " + std::generic_category().message(os_errno), os_errno,
              CB_ERROR_RETRY};
    default:
      return cyberbackup::sdk::os_failure(os_errno, peer);
  }
}

cb_status copy_text(const std::string& text, std::vector<std::byte>& out) {
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  out.assign(bytes, bytes + text.size());
  return CB_OK;
}

bool would_block(int os_errno) { return os_errno == EAGAIN || os_errno == EWOULDBLOCK; }

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor make_socket(int family, const Settings& settings) {
  Descriptor made(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (made.get() < 0) throw cyberbackup::sdk::os_failure(errno, "socket");
  if (settings.receive_buffer > 0)
    set_option(made.get(), SOL_SOCKET, SO_RCVBUF, settings.receive_buffer, "SO_RCVBUF");
  if (settings.send_buffer > 0)
    set_option(made.get(), SOL_SOCKET, SO_SNDBUF, settings.send_buffer, "SO_SNDBUF");
  return made;
}

Stream::Stream(const Address& peer, const Settings& settings)
    : socket_(make_socket(peer.family(), settings)), peer_(peer.text()) {
  tune(fd(), settings);
  // An interrupted connect of a non-blocking socket goes on like one in progress.
  if (::connect(fd(), peer.get(), peer.length) == 0 || errno == EINPROGRESS || errno == EINTR) {
    return;
  }
  throw peer_failure(errno, peer_);
}

Stream::Stream(Descriptor accepted, const Address& peer, const Settings& settings)
    : socket_(std::move(accepted)), peer_(peer.text()), connected_(true) {
  tune(fd(), settings);
}

cb_status Stream::handshake() {
  if (connected_) return CB_OK;
  pollfd ready{fd(), POLLOUT, 0};
  const int found = ::poll(&ready, 1, 0);
  if (found == 0 || (found < 0 && errno == EINTR)) return CB_WANT_WRITE;
  if (found < 0) throw peer_failure(errno, peer_);
  int failure = 0;
  socklen_t size = sizeof(failure);
  if (getsockopt(fd(), SOL_SOCKET, SO_ERROR, &failure, &size) != 0) failure = errno;
  if (failure != 0) throw peer_failure(failure, peer_);
  connected_ = true;
  return CB_OK;
}

void Stream::require_connected() const {
  if (!connected_) throw Failure(CB_E_STATE, peer_ + ": the connection does not stand yet");
}

void Stream::lose(int os_errno) {
  // The system tells a failure once and then shows an end. EPIPE comes after a true end.
  if (os_errno != EPIPE) failure_ = os_errno;
  throw peer_failure(os_errno, peer_);
}

cb_status Stream::read(std::span<std::byte> into, size_t& got) {
  require_connected();
  for (;;) {
    const ssize_t n = ::recv(fd(), into.data(), into.size(), 0);
    if (n > 0) {
      got = static_cast<size_t>(n);
      return CB_OK;
    }
    if (n == 0 && failure_ != 0) throw peer_failure(failure_, peer_);
    if (n == 0) return CB_END;
    if (would_block(errno)) return CB_WANT_READ;
    if (errno != EINTR) lose(errno);
  }
}

cb_status Stream::write(std::span<const std::byte> from, size_t& took) {
  require_connected();
  if (ended_) throw Failure(CB_E_STATE, peer_ + ": a write after shutdown");
  for (;;) {
    const ssize_t n = ::send(fd(), from.data(), from.size(), MSG_NOSIGNAL);
    if (n > 0) {
      took = static_cast<size_t>(n);
      return CB_OK;
    }
    if (n < 0 && would_block(errno)) return CB_WANT_WRITE;
    if (n < 0 && errno != EINTR) lose(errno);
  }
}

cb_status Stream::shutdown() {
  require_connected();
  if (!ended_ && ::shutdown(fd(), SHUT_WR) != 0) {
    // The peer reset the connection before.
    throw peer_failure(errno == ENOTCONN ? ECONNRESET : errno, peer_);
  }
  ended_ = true;
  return CB_OK;
}

cb_status Stream::info(uint32_t what, std::vector<std::byte>& out) {
  switch (what) {
    case CB_INFO_PROTOCOL:
      return copy_text("tcp", out);
    case CB_INFO_PEER_ADDRESS:
      return copy_text(peer_, out);
    case CB_INFO_LOCAL_ADDRESS: {
      const Address local = local_address(fd());
      return local.length == 0 ? CB_E_UNSUPPORTED : copy_text(local.text(), out);
    }
    default:
      return CB_E_UNSUPPORTED;
  }
}

}  // namespace transport_tcp
