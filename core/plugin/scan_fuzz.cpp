// SPDX-License-Identifier: Apache-2.0
//
// The scan of a plugin's file, over any bytes: it answers, and a refusal has a reason.
#include <cstdlib>

#include "core/plugin/scan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const cb::Status done = cb::plugin::scan({reinterpret_cast<const std::byte*>(data), size}, "f");
  if (!done && done.error().cause.empty()) std::abort();
  return 0;
}
