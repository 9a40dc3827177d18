// SPDX-License-Identifier: Apache-2.0
//
// Its entry is shorter than 1.0's.
#include "plain_store.hpp"

namespace {
const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = plain::descriptor("short-table", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = [] {
  cb_entry made = plain::entry(plain::list<kDescriptor>);
  made.size = 16;
  return made;
}();
