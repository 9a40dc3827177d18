// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup migrate`: a client of protocol v3 becomes the owner of what it uploaded. Used by one
// thread.
#pragma once

#include "hosts/cyberbackup/workplace.h"

namespace cb {

// Adds the command; when it was run, `exit_code` holds what the program exits with. `common` and
// `exit_code` outlive the parsing.
void add_migrate_command(CLI::App& app, CommonOptions& common, int& exit_code);

}  // namespace cb
