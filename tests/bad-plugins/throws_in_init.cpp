// SPDX-License-Identifier: Apache-2.0
//
// Lets an exception out of init.
#include <stdexcept>

#include "plain_store.hpp"

namespace {
cb_status init(const cb_host*, const char*, cb_error*) {
  throw std::runtime_error("init went wrong");
}

const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = plain::descriptor("throws-in-init", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = [] {
  cb_entry made = plain::entry(plain::list<kDescriptor>);
  made.init = init;
  return made;
}();
