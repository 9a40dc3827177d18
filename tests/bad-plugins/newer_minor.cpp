// SPDX-License-Identifier: Apache-2.0
//
// Built for a newer minor, but content with this one: not bad at all.
#include "plain_store.hpp"

namespace {
const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = plain::descriptor("newer-minor", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = [] {
  cb_entry made = plain::entry(plain::list<kDescriptor>);
  made.abi_minor = CB_ABI_MINOR + 7;
  made.size += 64;
  return made;
}();
