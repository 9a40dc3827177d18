// SPDX-License-Identifier: Apache-2.0
//
// Exports the entry as a function.
extern "C" __attribute__((visibility("default"))) int cb_plugin_entry_v1();
int cb_plugin_entry_v1() { return 0; }
