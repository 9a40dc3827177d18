// SPDX-License-Identifier: Apache-2.0
//
// Needs a newer minor of the host.
#include "plain_store.hpp"

namespace {
const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = plain::descriptor("needs-newer", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = [] {
  cb_entry made = plain::entry(plain::list<kDescriptor>);
  made.needs_minor = CB_ABI_MINOR + 7;
  return made;
}();
