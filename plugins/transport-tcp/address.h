// SPDX-License-Identifier: Apache-2.0
//
// Numeric addresses of IPv4 and IPv6: text to socket address and back. Plain values.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace transport_tcp {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] int family() const { return storage.ss_family; }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] uint16_t port() const;
  // "127.0.0.1:4711", "[::1]:4711".
  [[nodiscard]] std::string text() const;
};

// Reads "127.0.0.1", "::1" or "fe80::1%eth0". Throws CB_E_INVALID for anything else: names are for
// the host to resolve.
Address parse_address(const char* text, uint32_t port);

// The two ends of a socket; an address of length 0 when the socket has none.
Address local_address(int fd);
Address peer_address(int fd);

}  // namespace transport_tcp
