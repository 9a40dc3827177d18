// SPDX-License-Identifier: Apache-2.0
//
// Never comes back from init.
#include <unistd.h>

#include "plain_store.hpp"

namespace {
cb_status init(const cb_host*, const char*, cb_error*) {
  while (true) ::pause();
}

const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = plain::descriptor("hangs-in-init", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = [] {
  cb_entry made = plain::entry(plain::list<kDescriptor>);
  made.init = init;
  return made;
}();
