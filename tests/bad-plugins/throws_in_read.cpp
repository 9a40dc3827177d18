// SPDX-License-Identifier: Apache-2.0
//
// Lets an exception out of get_read.
#include <stdexcept>

#include "plain_store.hpp"

namespace {
cb_status get_read(cb_get*, void*, size_t, size_t*, cb_error*) {
  throw std::runtime_error("the tape tore\nin two");
}

const cb_store_ops kOps = [] {
  cb_store_ops made = plain::ops();
  made.get_read = get_read;
  return made;
}();
const cb_descriptor kDescriptor = plain::descriptor("throws-in-read", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
