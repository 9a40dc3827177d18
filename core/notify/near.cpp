// SPDX-License-Identifier: Apache-2.0
#include "core/notify/near.h"

#include <arpa/inet.h>

#include <string>

namespace cb::notify {

bool is_near(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  in_addr address{};
  constexpr uint32_t kLoopback = 127;
  return ::inet_pton(AF_INET, std::string(host).c_str(), &address) == 1 &&
         ntohl(address.s_addr) >> 24U == kLoopback;
}

std::string_view without_port(std::string_view authority) {
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return authority.substr(0, colon);
}

}  // namespace cb::notify
