// SPDX-License-Identifier: Apache-2.0
//
// Lets something that is no std::exception out of an ender.
#include "plain_store.hpp"

namespace {
void put_abort(cb_put* put) {
  delete put;
  throw 42;
}

const cb_store_ops kOps = [] {
  cb_store_ops made = plain::ops();
  made.put_abort = put_abort;
  return made;
}();
const cb_descriptor kDescriptor = plain::descriptor("throws-in-abort", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
