// SPDX-License-Identifier: Apache-2.0
#include "core/base/secret.h"

#include <cstring>

namespace cb {

void wipe(ByteSpan memory) {
  if (!memory.empty()) explicit_bzero(memory.data(), memory.size());
}

bool equal_in_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]);
  return difference == 0;
}

}  // namespace cb
