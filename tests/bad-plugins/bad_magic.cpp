// SPDX-License-Identifier: Apache-2.0
//
// Its entry has another magic.
#include "plain_store.hpp"

namespace {
const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = plain::descriptor("bad-magic", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = [] {
  cb_entry made = plain::entry(plain::list<kDescriptor>);
  made.magic = 0x32504243;
  return made;
}();
