// SPDX-License-Identifier: Apache-2.0
//
// Its option has a key that cannot be written.
#include "plain_store.hpp"

namespace {
const cb_option kOptions[] = {
    {"Bad Key", "No such thing.", nullptr, nullptr, 0, 0, CB_OPTION_STRING, 0},
};

const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = [] {
  cb_descriptor made = plain::descriptor("malformed-schema", kOps);
  made.options = kOptions;
  made.option_size = sizeof(cb_option);
  made.option_count = 1;
  return made;
}();
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
