// SPDX-License-Identifier: Apache-2.0
//
// Claims to have read more than there was room for.
#include "plain_store.hpp"

namespace {
cb_status get_read(cb_get*, void*, size_t cap, size_t* got, cb_error*) {
  *got = cap + 1;
  return CB_OK;
}

const cb_store_ops kOps = [] {
  cb_store_ops made = plain::ops();
  made.get_read = get_read;
  return made;
}();
const cb_descriptor kDescriptor = plain::descriptor("length-past-cap", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
