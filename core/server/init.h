// SPDX-License-Identifier: Apache-2.0
//
// Makes a data folder for a daemon: configuration with comments, keys, certificate, catalog and
// store. For one thread.
#pragma once

#include <string>

#include "core/server/backend.h"

namespace cb::server {

struct InitRequest {
  os::Path folder;
  std::string listen_v3;             // "HOST:PORT" over plain tcp; empty = none
  std::string listen_v4;             // "HOST:PORT" over tls, protocol 4; empty = none
  std::string store = "fs";          // "fs" or "sqlite"
  os::Path plugin_folder;            // where the plugins are now
  os::Path probe_program;            // cyberbackup-plugin-probe; without it nothing is probed
  bool write_plugin_folder = false;  // into the file, for a folder that is not the default one
};

struct InitResult {
  os::Path config;
  std::string pin;  // of the certificate; empty without a tls listener
  std::vector<std::string> listeners;
};

// Code::exists for a folder that holds anything but what an unfinished init left; nothing is
// changed then. Without either listener, v3 listens on 127.0.0.1:1256.
Result<InitResult> init_folder(const InitRequest& request, const Seams& seams);

}  // namespace cb::server
