// SPDX-License-Identifier: Apache-2.0
//
// Cannot start.
#include "plain_store.hpp"

namespace {
cb_status init(const cb_host*, const char*, cb_error* error) {
  return plain::fail(error, CB_E_NOT_FOUND, "/dev/tape0: no such drive");
}

const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = plain::descriptor("fails-in-init", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = [] {
  cb_entry made = plain::entry(plain::list<kDescriptor>);
  made.init = init;
  return made;
}();
