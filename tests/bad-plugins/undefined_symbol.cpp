// SPDX-License-Identifier: Apache-2.0
//
// Needs a function that nobody has.
#include "plain_store.hpp"

extern "C" void function_that_nobody_has();

namespace {
cb_status create(const cb_host*, const cb_config*, cb_instance**, cb_error*) {
  function_that_nobody_has();
  return CB_OK;
}

const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = [] {
  cb_descriptor made = plain::descriptor("undefined-symbol", kOps);
  made.create = create;
  return made;
}();
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
