// SPDX-License-Identifier: Apache-2.0
#include "core/server/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace cb::server {
namespace {

constexpr unsigned kBits = 128;
constexpr unsigned kV4Bits = 32;
constexpr Address kV4Begin = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};

Error no_network(std::string_view text, const char* cause) {
  return fail(Code::invalid, "'" + std::string(text) + "'", cause,
              "write it like 10.0.0.0/8 or 2001:db8::/32");
}

bool bit_of(const Address& address, unsigned bit) {
  return (address.at(bit / 8) >> (7 - bit % 8) & 1) != 0;
}

bool begins_as_v4(const Address& address) {
  return std::equal(address.begin(), address.begin() + 12, kV4Begin.begin());
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  const bool bracketed = text.size() >= 2 && text.front() == '[' && text.back() == ']';
  const std::string plain(bracketed ? text.substr(1, text.size() - 2) : text);
  if (plain.find('\0') != std::string::npos) return std::nullopt;
  Address address = kV4Begin;
  if (!bracketed && ::inet_pton(AF_INET, plain.c_str(), address.data() + 12) == 1) return address;
  if (::inet_pton(AF_INET6, plain.c_str(), address.data()) == 1) return address;
  return std::nullopt;
}

Result<Network> Network::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view base = text.substr(0, slash);
  const auto address = parse_address(base);
  if (!address || base.front() == '[') return failed(no_network(text, "is no network"));
  const bool is_v4 = base.find(':') == base.npos;
  const unsigned most = is_v4 ? kV4Bits : kBits;
  unsigned prefix = most;
  if (slash != text.npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (error != std::errc() || end != digits.data() + digits.size() || prefix > most)
      return failed(no_network(text, "has no prefix of 0 to 32 or 128 bits"));
  }
  Network network;
  network.base_ = *address;
  network.prefix_ = prefix + kBits - most;
  for (unsigned bit = network.prefix_; bit < kBits; ++bit)
    if (bit_of(*address, bit))
      return failed(no_network(text, "names an address behind its prefix, too"));
  return network;
}

// "::/0" means the addresses of IPv6 alone.
bool Network::has(const Address& address) const {
  if (begins_as_v4(address) && !is_v4()) return false;
  for (unsigned bit = 0; bit < prefix_; ++bit)
    if (bit_of(address, bit) != bit_of(base_, bit)) return false;
  return true;
}

bool Network::is_v4() const { return begins_as_v4(base_) && prefix_ >= kBits - kV4Bits; }

std::string Network::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_v4())
    ::inet_ntop(AF_INET, base_.data() + 12, text.data(), text.size());
  else
    ::inet_ntop(AF_INET6, base_.data(), text.data(), text.size());
  const unsigned shown = is_v4() ? prefix_ - (kBits - kV4Bits) : prefix_;
  return std::string(text.data()) + "/" + std::to_string(shown);
}

}  // namespace cb::server
