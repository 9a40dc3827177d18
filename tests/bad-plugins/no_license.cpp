// SPDX-License-Identifier: Apache-2.0
//
// Leaves out a text.
#include "plain_store.hpp"

namespace {
const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = [] {
  cb_descriptor made = plain::descriptor("no-license", kOps);
  made.license = nullptr;
  return made;
}();
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
