// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes the plain form of a v3 client's note: what is taken is written again byte for byte.
#include <algorithm>
#include <cstdlib>

#include "core/server/v3_note.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const cb::ByteView input(reinterpret_cast<const std::byte*>(data), size);
  const auto note = cb::server::decode_v3_note(input);
  if (!note) return 0;
  const cb::Bytes again = cb::server::encode_v3_note(*note);
  if (!std::equal(input.begin(), input.end(), again.begin(), again.end())) std::abort();
  return 0;
}
