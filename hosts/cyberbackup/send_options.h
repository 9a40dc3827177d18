// SPDX-License-Identifier: Apache-2.0
//
// What was asked of `cyberbackup send`. Plain values.
#pragma once

#include <string>
#include <vector>

#include "core/client/v3_settings.h"

namespace cb {

// As written on the command line; empty = not given.
struct SendOptions {
  std::vector<std::string> files;
  std::string server;
  std::string name;
  std::string piece_size;
  std::string content_size = "packet";
  std::string response_timeout;
  std::string confirm_timeout;
  std::string limit_upload;
  std::string config_dir;
  std::string plugins;
  bool tls = false;
  std::vector<std::string> pins;
  std::string ca;
  std::string server_name;  // to verify, if it is not the host
  bool json = false;
  bool quiet = false;
  bool verbose = false;
};

// What is to be done.
struct SendJob {
  client::V3SendSettings settings;
  std::vector<os::Path> files;
  os::Path identity_folder;
};

// Completes the options: from transfer.info in the working folder when neither files nor server nor
// name were given, else from the flags. Errors: Code::invalid for wrong usage, Code::not_found when
// there is nothing to go by.
Result<SendJob> job_of(const SendOptions& options);

}  // namespace cb
