// SPDX-License-Identifier: Apache-2.0
//
// Offers two plugins of one id.
#include "plain_store.hpp"

namespace {
const cb_store_ops kOps = plain::ops();
const cb_descriptor kFirst = plain::descriptor("duplicate-id", kOps);
const cb_descriptor kSecond = plain::descriptor("duplicate-id", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kFirst, kSecond>);
