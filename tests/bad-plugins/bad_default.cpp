// SPDX-License-Identifier: Apache-2.0
//
// The default of its option is out of its own bounds.
#include "plain_store.hpp"

namespace {
const cb_option kOptions[] = {
    {"level", "How hard to try.", "99", nullptr, 1, 9, CB_OPTION_INT, 0},
};

const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = [] {
  cb_descriptor made = plain::descriptor("bad-default", kOps);
  made.options = kOptions;
  made.option_size = sizeof(cb_option);
  made.option_count = 1;
  return made;
}();
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
