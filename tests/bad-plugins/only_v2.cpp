// SPDX-License-Identifier: Apache-2.0
//
// For other majors of the ABI only. Its constructor must not run: it would end the host.
#include <cstdlib>

extern "C" {
extern __attribute__((visibility("default"))) const unsigned cb_plugin_entry_v2[1];
extern __attribute__((visibility("default"))) const unsigned cb_plugin_entry_v3[1];
}

const unsigned cb_plugin_entry_v2[1] = {1};
const unsigned cb_plugin_entry_v3[1] = {1};

namespace {
struct Trap {
  Trap() { std::abort(); }
} const trap;
}  // namespace
