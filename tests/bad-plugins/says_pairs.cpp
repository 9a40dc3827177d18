// SPDX-License-Identifier: Apache-2.0
//
// Well-behaved: logs when it is initialised and when that is undone.
#include "plain_store.hpp"

namespace {
const cb_host* host = nullptr;

void say(const std::string& text) { host->log(host->ctx, CB_LOG_INFO, text.data(), text.size()); }

cb_status init(const cb_host* given, const char* module_dir, cb_error*) {
  host = given;
  say(std::string("init in ") + module_dir);
  return CB_OK;
}

void deinit() { say("deinit"); }

const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = plain::descriptor("says-pairs", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = [] {
  cb_entry made = plain::entry(plain::list<kDescriptor>);
  made.init = init;
  made.deinit = deinit;
  return made;
}();
