// SPDX-License-Identifier: Apache-2.0
//
// Whatever is read as rules is written and read again as the same.
#include <cstdint>
#include <cstdlib>

#include "core/retention/rules.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace retention = cb::retention;
  const auto rules =
      retention::parse_rules(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!rules) return 0;
  const auto again = retention::parse_rules(retention::text_of(*rules));
  if (!again || *again != *rules) std::abort();
  return 0;
}
