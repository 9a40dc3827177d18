// SPDX-License-Identifier: Apache-2.0
#include "listener.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "address.h"
#include "cyberbackup/cpp/failure.hpp"

namespace transport_tcp {

namespace {

using cyberbackup::sdk::Failure;
using cyberbackup::sdk::os_failure;

void switch_on(int fd, int level, int name, const std::string& where) {
  const int on = 1;
  if (setsockopt(fd, level, name, &on, sizeof(on)) != 0) throw os_failure(errno, where);
}

// What accept(2) asks to be treated like "none waits": errors of a connection that died in the
// queue.
bool is_of_one_connection(int os_errno) {
  switch (os_errno) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

bool is_shortage(int os_errno) {
  return os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOBUFS || os_errno == ENOMEM;
}

}  // namespace

Listener::Listener(const Address& at, uint32_t backlog, const Settings& settings)
    : socket_(make_socket(at.family(), settings)), settings_(settings) {
  const std::string where = at.text();
  switch_on(fd(), SOL_SOCKET, SO_REUSEADDR, where);
  // One address, one family: "::" and "0.0.0.0" can be listened on side by side.
  if (at.family() == AF_INET6) switch_on(fd(), IPPROTO_IPV6, IPV6_V6ONLY, where);
  if (::bind(fd(), at.get(), at.length) != 0) throw os_failure(errno, where);
  const int most = SOMAXCONN;
  const int length =
      backlog == 0 ? most : static_cast<int>(std::min(backlog, static_cast<uint32_t>(most)));
  if (::listen(fd(), length) != 0) throw os_failure(errno, where);
  port_ = local_address(fd()).port();
}

std::unique_ptr<Stream> Listener::accept() {
  for (;;) {
    Address peer;
    peer.length = sizeof(peer.storage);
    Descriptor accepted(::accept4(fd(), peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted.get() >= 0) return std::make_unique<Stream>(std::move(accepted), peer, settings_);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return nullptr;
    if (is_of_one_connection(errno)) continue;
    const std::string object = "listener on port " + std::to_string(port_);
    if (!is_shortage(errno)) throw os_failure(errno, object);
    throw Failure(CB_E_LIMIT, object + ": " + std::generic_category().message(errno), errno,
                  CB_ERROR_RETRY);
  }
}

}  // namespace transport_tcp
