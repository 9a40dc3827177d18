// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a witness file: what is taken is written again the same.
#include <cstdlib>

#include "core/client/witness.h"

using namespace cb;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto witness = client::parse_witness(text, "fuzz");
  if (witness && client::witness_text(*witness) != text) std::abort();
  return 0;
}
