// SPDX-License-Identifier: Apache-2.0
//
// For tests: a v3 client and the server's side of the conversation, to be scripted. Used by one
// thread.
#pragma once

#include <random>

#include "tests/v3-client/bench.h"

namespace cb::testing {

class V3Client : public Bench {
 protected:
  const ClientId id_ = id_of(7);
  ServerSide side_{suites().sha256};
};

inline std::string some_bytes(size_t size) {
  std::mt19937 draw(static_cast<unsigned>(size));
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(draw());
  return bytes;
}

}  // namespace cb::testing
