// SPDX-License-Identifier: Apache-2.0
//
// Serves older and newer hosts from one file: one id, for this revision of an interface and for one
// that this host has not. Nothing is wrong with it.
#include "plain_store.hpp"

namespace {
const cb_store_ops kOps = plain::ops();
const cb_descriptor kNewer = [] {
  cb_descriptor made = plain::descriptor("two-revisions", kOps);
  made.interface_id = "cb.store/2";
  return made;
}();
const cb_descriptor kKnown = plain::descriptor("two-revisions", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kNewer, kKnown>);
