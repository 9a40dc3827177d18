// SPDX-License-Identifier: Apache-2.0
//
// A network of addresses: "10.0.0.0/8", "2001:db8::/32", "192.0.2.7". A plain value; functions are
// pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace cb::server {

// As IPv6 has it; an address of IPv4 is ::ffff:a.b.c.d.
using Address = std::array<uint8_t, 16>;

// "192.0.2.1", "2001:db8::1" or "[2001:db8::1]"; nothing for anything else.
std::optional<Address> parse_address(std::string_view text);

class Network {
 public:
  // Code::invalid, also when bits behind the prefix are set.
  static Result<Network> parse(std::string_view text);

  [[nodiscard]] bool has(const Address& address) const;
  // As it is parsed, in the shortest form.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const Network&, const Network&) = default;

 private:
  [[nodiscard]] bool is_v4() const;

  Address base_{};
  unsigned prefix_ = 0;  // bits of 128
};

}  // namespace cb::server
