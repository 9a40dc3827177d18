// SPDX-License-Identifier: Apache-2.0
#include "setup.h"

#include <unistd.h>

#include <cstdio>

#include "core/os/account_names.h"
#include "core/os/lower_rights.h"
#include "core/os/process.h"
#include "core/report/json.h"
#include "core/report/shown_text.h"

namespace cb::host {
namespace {

const uint32_t kStartedBy = os::effective_uid();

}  // namespace

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
    if (problem.warning)
      std::fprintf(stderr, "warning: %s\n", report::shown_lines(problem.text()).c_str());
  if (settings && problems.has_errors()) return failed(problems.error(""));
  return settings;
}

Result<server::Settings> load_for_files(const CommonOptions& options) {
  CB_ASSIGN(server::Settings settings, load(options));
  if (settings.confinement.user.empty() || !os::is_root()) return settings;
  CB_ASSIGN(const os::LowerRights rights, os::LowerRights::take(settings.confinement.user));
  CB_TRY(rights.give_up());
  return load(options);
}

uint32_t started_by() { return kStartedBy; }

report::ExitCode tell(const Error& error, bool json) {
  if (json)
    std::fprintf(stderr, "%s\n", report::json_line({{"error", report::json_of(error)}}).c_str());
  else
    std::fprintf(stderr, "cyberbackupd: %s\n", report::shown_lines(error.text()).c_str());
  return report::exit_code_of(error);
}

// Names of clients and files are theirs to choose, and must not steer the terminal. JSON is safe
// already.
void print(const std::string& line) {
  const std::string shown = report::shown_lines(line);
  std::fwrite(shown.data(), 1, shown.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

Result<std::unique_ptr<log::Output>> quiet_log() {
  return log::open_log({log::Level::warn, "", log::Format::text});
}

}  // namespace cb::host
