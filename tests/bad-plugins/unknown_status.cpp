// SPDX-License-Identifier: Apache-2.0
//
// Returns a status that is not in the list.
#include "plain_store.hpp"

namespace {
cb_status put_write(cb_put*, const void*, size_t, cb_error*) { return -4711; }

const cb_store_ops kOps = [] {
  cb_store_ops made = plain::ops();
  made.put_write = put_write;
  return made;
}();
const cb_descriptor kDescriptor = plain::descriptor("unknown-status", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
