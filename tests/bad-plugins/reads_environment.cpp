// SPDX-License-Identifier: Apache-2.0
//
// Looks for the hosts' secrets while it is only tried, and says so.
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "plain_store.hpp"

extern char** environ;

namespace {
cb_status init(const cb_host* host, const char*, cb_error* error) {
  if (std::string_view(host->name) != "cyberbackup-plugin-probe") return CB_OK;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (std::string_view(*variable).find("correct horse") != std::string_view::npos)
      return plain::fail(error, CB_E_INVALID, "found a secret of the host");
  return std::getenv("PATH") != nullptr
             ? CB_OK
             : plain::fail(error, CB_E_INVALID, "found no environment at all");
}

const cb_store_ops kOps = plain::ops();
const cb_descriptor kDescriptor = plain::descriptor("reads-environment", kOps);
}  // namespace

const cb_entry cb_plugin_entry_v1 = [] {
  cb_entry made = plain::entry(plain::list<kDescriptor>);
  made.init = init;
  return made;
}();
