// SPDX-License-Identifier: Apache-2.0
//
// Refuses its configuration, as a plugin may.
#include "plain_store.hpp"

namespace {
cb_status check(const cb_config*, cb_error* error) {
  return plain::fail(error, CB_E_INVALID, "the moon is not full");
}

const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = [] {
  cb_descriptor made = plain::descriptor("fails-in-create", kOps);
  made.check = check;
  return made;
}();
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
