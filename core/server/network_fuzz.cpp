// SPDX-License-Identifier: Apache-2.0
//
// Whatever is read as a network is written and read again as the same, and has its own base.
#include <cstdint>
#include <cstdlib>

#include "core/server/network.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace server = cb::server;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto network = server::Network::parse(text);
  if (!network) return 0;
  const auto again = server::Network::parse(network->text());
  if (!again || *again != *network) std::abort();
  const auto base = server::parse_address(text.substr(0, text.find('/')));
  if (!base || !network->has(*base)) std::abort();
  return 0;
}
