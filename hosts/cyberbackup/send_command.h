// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup send`: files to a server that speaks protocol v3. Used by one thread.
#pragma once

#include <CLI/CLI.hpp>

namespace cb {

// Adds the command; when it was run, `exit_code` holds what the program exits with. `exit_code`
// outlives the parsing.
void add_send_command(CLI::App& app, int& exit_code);

}  // namespace cb
