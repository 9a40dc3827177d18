// SPDX-License-Identifier: Apache-2.0
//
// Says OK to create and makes nothing.
#include "plain_store.hpp"

namespace {
cb_status create(const cb_host*, const cb_config*, cb_instance**, cb_error*) { return CB_OK; }

const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = [] {
  cb_descriptor made = plain::descriptor("null-instance", kOps);
  made.create = create;
  return made;
}();
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
