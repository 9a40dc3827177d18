// SPDX-License-Identifier: Apache-2.0
//
// What was asked of `cyberbackup migrate`, and what the old client's folder adds to it. Plain
// values; job_of reads that folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/client/v3_folder.h"
#include "core/repository/pairing_token.h"

namespace cb {

// As written on the command line; empty = not given.
struct MigrateOptions {
  std::string token;
  std::vector<std::string> paths;
  std::string server;
  std::string pin;
  std::string folder;
  std::string name;  // of the old client
  std::string device_name;
  std::string config_dir;
  bool no_backup = false;
};

struct MigrateJob {
  client::V3Folder old;
  os::Path folder;  // where it was
  std::optional<repository::PairingToken> token;
  std::vector<std::string> servers;
  std::string pin;
  std::vector<std::string> paths;  // of the first backup; empty: none
};

// Code::invalid for wrong usage; otherwise as read_v3_folder.
Result<MigrateJob> job_of(MigrateOptions options);

}  // namespace cb
