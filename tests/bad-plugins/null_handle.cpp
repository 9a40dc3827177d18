// SPDX-License-Identifier: Apache-2.0
//
// Says OK and gives no handle.
#include "plain_store.hpp"

namespace {
cb_status get_open(cb_instance*, const char*, uint64_t, uint64_t, cb_get**, cb_error*) {
  return CB_OK;
}

const cb_store_ops kOps = [] {
  cb_store_ops made = plain::ops();
  made.get_open = get_open;
  return made;
}();
const cb_descriptor kDescriptor = plain::descriptor("null-handle", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
