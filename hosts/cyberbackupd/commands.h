// SPDX-License-Identifier: Apache-2.0
//
// The commands of cyberbackupd. Each prints its result to stdout and its error to stderr, and
// returns the program's exit code. For the main thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/report/exit_code.h"
#include "core/server/settings.h"

namespace cb::host {

// What most commands take.
struct CommonOptions {
  std::string config = "cyberbackupd.toml";
  std::vector<std::string> set;
  bool json = false;
};

struct InitOptions {
  std::string folder;
  std::string listen_v3;
  std::string listen_v4;
  std::string store = "fs";
  std::string plugins;  // folder; empty = the program's
  bool json = false;
};

struct LegacyOptions {
  CommonOptions common;
  std::string client;
  std::string file;
  std::optional<uint64_t> version;
  std::string to;
};

enum class OptionsForm { table, toml, markdown };

report::ExitCode run_init(const InitOptions& options);
report::ExitCode run_serve(const CommonOptions& options);
report::ExitCode run_config_check(const CommonOptions& options);
report::ExitCode run_config_show(const CommonOptions& options);
report::ExitCode run_config_options(OptionsForm form);
report::ExitCode run_plugins_list(const CommonOptions& options);
report::ExitCode run_plugins_options(const CommonOptions& options, const std::string& id,
                                     OptionsForm form);
report::ExitCode run_plugins_pin(const CommonOptions& options);
report::ExitCode run_legacy_list(const LegacyOptions& options);
report::ExitCode run_legacy_export(const LegacyOptions& options);
report::ExitCode run_status(const CommonOptions& options);

}  // namespace cb::host
