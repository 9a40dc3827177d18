// SPDX-License-Identifier: Apache-2.0
//
// What the commands share: finding the plugins, loading the settings, telling errors. For the main
// thread.
#pragma once

#include "commands.h"
#include "core/server/backend.h"

namespace cb::host {

// The folder of the plugins that came with this program.
os::Path default_plugin_folder();

// The program beside this one that tries plugins before they are loaded.
os::Path probe_program();

server::SettingsRequest settings_request(const CommonOptions& options);

// Loads the settings; Code::invalid with every problem on a line of its own. Warnings go to stderr.
Result<server::Settings> load(const CommonOptions& options);

// The same for commands that open the daemon's files: started by root they take the rights of
// confinement.user for good, so that they leave nothing behind that the daemon cannot open, and
// follow nothing that it put there.
Result<server::Settings> load_for_files(const CommonOptions& options);

// Who started this program, whatever rights it has taken since.
uint32_t started_by();

// Writes the error to stderr, as JSON if asked for, and returns its exit code.
report::ExitCode tell(const Error& error, bool json);

// Writes a line to stdout.
void print(const std::string& line);

// A log to stderr for commands: warnings and errors only.
Result<std::unique_ptr<log::Output>> quiet_log();

}  // namespace cb::host
