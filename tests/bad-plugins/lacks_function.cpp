// SPDX-License-Identifier: Apache-2.0
//
// A store that cannot read.
#include "plain_store.hpp"

namespace {
const cb_store_ops kOps = [] {
  cb_store_ops made = plain::ops();
  made.get_read = nullptr;
  return made;
}();
const cb_descriptor kDescriptor = plain::descriptor("lacks-function", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
