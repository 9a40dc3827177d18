// SPDX-License-Identifier: Apache-2.0
//
// Ends the process in init.
#include <unistd.h>

#include "plain_store.hpp"

namespace {
cb_status init(const cb_host*, const char*, cb_error*) { ::_exit(9); }

const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = plain::descriptor("exits-in-init", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = [] {
  cb_entry made = plain::entry(plain::list<kDescriptor>);
  made.init = init;
  return made;
}();
