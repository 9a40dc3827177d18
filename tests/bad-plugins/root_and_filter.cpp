// SPDX-License-Identifier: Apache-2.0
//
// Claims to be both kinds of transport.
#include "cyberbackup/transport.h"
#include "plain_store.hpp"

namespace {
const cb_transport_ops kOps = [] {
  cb_transport_ops made{};
  made.size = sizeof made;
  return made;
}();
const cb_store_ops kUnused = plain::ops();
const cb_descriptor kDescriptor = [] {
  cb_descriptor made = plain::descriptor("root-and-filter", kUnused);
  made.interface_id = CB_TRANSPORT_INTERFACE;
  made.capabilities = CB_TRANSPORT_ROOT | CB_TRANSPORT_FILTER;
  made.ops = &kOps;
  return made;
}();
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
