// SPDX-License-Identifier: Apache-2.0
#include "setup.h"

#include <unistd.h>

#include <cstdio>

#include "core/os/process.h"
#include "core/report/json.h"

namespace cb::host {

os::Path default_plugin_folder() {
  const os::Path program = os::program_folder();
  const os::Path built = program.parent_path() / "plugins";
  if (os::real_file_system().info(built)) return built;
  return program.parent_path() / "lib" / "cyberbackup" / "plugins";
}

os::Path probe_program() { return os::program_folder() / "cyberbackup-plugin-probe"; }

server::SettingsRequest settings_request(const CommonOptions& options) {
  server::SettingsRequest request;
  request.file = options.config;
  for (char** variable = environ; *variable != nullptr; ++variable)
    request.environment.emplace_back(*variable);
  request.set = options.set;
  request.default_plugin_folder = default_plugin_folder();
  request.probe_program = probe_program();
  return request;
}

Result<server::Settings> load(const CommonOptions& options) {
  config::Problems problems;
  auto settings = server::load_settings(settings_request(options), problems);
  if (!settings && settings.error().code == Code::not_found)
    settings.error().advice =
        "name the file with --config, or make one with: cyberbackupd init DIR";
  for (const config::Problem& problem : problems.list)
    if (problem.warning) std::fprintf(stderr, "warning: %s\n", problem.text().c_str());
  if (settings && problems.has_errors()) return failed(problems.error(""));
  return settings;
}

report::ExitCode tell(const Error& error, bool json) {
  if (json)
    std::fprintf(stderr, "%s\n", report::json_line({{"error", report::json_of(error)}}).c_str());
  else
    std::fprintf(stderr, "cyberbackupd: %s\n", error.text().c_str());
  return report::exit_code_of(error);
}

void print(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

Result<std::unique_ptr<log::Output>> quiet_log() {
  return log::open_log({log::Level::warn, "", log::Format::text});
}

}  // namespace cb::host
