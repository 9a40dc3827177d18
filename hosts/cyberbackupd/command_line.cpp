// SPDX-License-Identifier: Apache-2.0
#include "command_line.h"

namespace cb::host {

CLI::App* add(CLI::App& to, const std::string& name, const std::string& what,
              const std::string& example) {
  CLI::App* command = to.add_subcommand(name, what);
  command->footer("Example:\n  " + example);
  return command;
}

void add_json(CLI::App& command, bool& json) {
  command.add_flag("--json", json, "Print one line of JSON");
}

void add_common(CLI::App& command, CommonOptions& options) {
  command.add_option("--config", options.config, "The configuration file")->capture_default_str();
  command.add_option("--set", options.set, "KEY=VALUE in place of what the file says");
  add_json(command, options.json);
}

}  // namespace cb::host
