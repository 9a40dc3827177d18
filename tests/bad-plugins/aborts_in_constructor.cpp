// SPDX-License-Identifier: Apache-2.0
//
// Aborts before anything of it can be called.
#include <cstdlib>

#include "plain_store.hpp"

namespace {
struct Trap {
  Trap() { std::abort(); }
} const trap;

const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = plain::descriptor("aborts-in-constructor", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
