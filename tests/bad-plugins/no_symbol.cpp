// SPDX-License-Identifier: Apache-2.0
//
// A library, but no plugin: exports something else.
extern "C" __attribute__((visibility("default"))) const int some_library_version;
const int some_library_version = 1;
