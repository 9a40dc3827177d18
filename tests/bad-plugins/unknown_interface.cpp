// SPDX-License-Identifier: Apache-2.0
//
// Is for an interface that this host has not.
#include "plain_store.hpp"

namespace {
const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = [] {
  cb_descriptor made = plain::descriptor("unknown-interface", kOps);
  made.interface_id = "cb.tape/9";
  return made;
}();
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
