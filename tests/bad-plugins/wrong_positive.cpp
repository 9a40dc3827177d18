// SPDX-License-Identifier: Apache-2.0
//
// Returns a listed status where it makes no sense.
#include "plain_store.hpp"

namespace {
cb_status remove(cb_instance*, const char*, cb_error*) { return CB_WANT_READ; }

const cb_store_ops kOps = [] {
  cb_store_ops made = plain::ops();
  made.remove = remove;
  return made;
}();
const cb_descriptor kDescriptor = plain::descriptor("wrong-positive", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
