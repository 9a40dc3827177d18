// SPDX-License-Identifier: Apache-2.0
//
// Nothing is wrong with this one: the counter-check of the bad plugins.
#include "plain_store.hpp"

namespace {
const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = plain::descriptor("good", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
