// SPDX-License-Identifier: Apache-2.0
//
// Lists an object whose name leads out of the store.
#include "plain_store.hpp"

namespace {
cb_status list_next(cb_list*, cb_object* out, cb_error*) {
  plain::describe(out, "../../etc/passwd", "");
  return CB_OK;
}

const cb_store_ops kOps = [] {
  cb_store_ops made = plain::ops();
  made.list_next = list_next;
  return made;
}();
const cb_descriptor kDescriptor = plain::descriptor("bad-name", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
