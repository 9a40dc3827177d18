// SPDX-License-Identifier: Apache-2.0
//
// Lets an exception out of create.
#include "plain_store.hpp"

namespace {
cb_status create(const cb_host*, const cb_config*, cb_instance**, cb_error*) {
  throw std::string("not even a std::exception");
}

const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = [] {
  cb_descriptor made = plain::descriptor("throws-in-create", kOps);
  made.create = create;
  return made;
}();
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
