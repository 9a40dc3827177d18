// SPDX-License-Identifier: Apache-2.0
#include "address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

#include "cyberbackup/cpp/failure.hpp"

namespace transport_tcp {

namespace {

using cyberbackup::sdk::Failure;

bool parse_v4(const std::string& text, uint16_t port, Address& out) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) != 1) return false;
  v4->sin_family = AF_INET;
  v4->sin_port = htons(port);
  out.length = sizeof(sockaddr_in);
  return true;
}

bool parse_v6(const std::string& text, uint16_t port, Address& out) {
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  const size_t percent = text.find('%');
  if (inet_pton(AF_INET6, text.substr(0, percent).c_str(), &v6->sin6_addr) != 1) return false;
  if (percent != std::string::npos) {
    v6->sin6_scope_id = if_nametoindex(text.c_str() + percent + 1);
    if (v6->sin6_scope_id == 0) return false;
  }
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  out.length = sizeof(sockaddr_in6);
  return true;
}

using NameFunction = int (*)(int, sockaddr*, socklen_t*);

Address ask(NameFunction function, int fd) {
  Address address;
  address.length = sizeof(address.storage);
  if (function(fd, address.get(), &address.length) != 0) address.length = 0;
  return address;
}

}  // namespace

uint16_t Address::port() const {
  if (length == 0) return 0;
  if (family() == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> digits{};
  const bool is_v6 = family() == AF_INET6;
  const void* bytes = &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr;
  if (is_v6) bytes = &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr;
  if (inet_ntop(family(), bytes, digits.data(), digits.size()) == nullptr) return "?";
  const std::string number = std::to_string(port());
  return is_v6 ? "[" + std::string(digits.data()) + "]:" + number
               : std::string(digits.data()) + ":" + number;
}

Address parse_address(const char* text, uint32_t port) {
  if (port > 65535) throw Failure(CB_E_INVALID, "port " + std::to_string(port) + " is above 65535");
  const std::string address = text == nullptr ? "" : text;
  Address parsed;
  const auto small_port = static_cast<uint16_t>(port);
  if (parse_v4(address, small_port, parsed) || parse_v6(address, small_port, parsed)) return parsed;
  throw Failure(CB_E_INVALID, "'" + address + "' is not a numeric IPv4 or IPv6 address");
}

Address local_address(int fd) { return ask(&getsockname, fd); }
Address peer_address(int fd) { return ask(&getpeername, fd); }

}  // namespace transport_tcp
