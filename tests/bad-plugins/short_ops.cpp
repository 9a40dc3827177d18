// SPDX-License-Identifier: Apache-2.0
//
// Its table is shorter than that of 1.0.
#include "plain_store.hpp"

namespace {
const cb_store_ops kOps = [] {
  cb_store_ops made = plain::ops();
  made.size = 24;
  return made;
}();
const cb_descriptor kDescriptor = plain::descriptor("short-ops", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
