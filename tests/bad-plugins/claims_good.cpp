// SPDX-License-Identifier: Apache-2.0
//
// Offers a plugin under its own id, and one under the id of another file.
#include "plain_store.hpp"

namespace {
const cb_store_ops kOps = plain::ops();
const cb_descriptor kFirst = plain::descriptor("claims-good", kOps);
const cb_descriptor kSecond = plain::descriptor("good", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kFirst, kSecond>);
