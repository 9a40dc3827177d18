// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup send`: files to a server that speaks protocol v3. Used by one thread.
#pragma once

#include "hosts/cyberbackup/workplace.h"

namespace cb {

// Adds the command; when it was run, `exit_code` holds what the program exits with. `common` and
// `exit_code` outlive the parsing. The options of all commands count as well as its own.
void add_send_command(CLI::App& app, CommonOptions& common, int& exit_code);

}  // namespace cb
