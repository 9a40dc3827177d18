// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup check --against`: is all that a witness saw still there? Used by one thread.
#pragma once

#include "hosts/cyberbackup/workplace.h"

namespace cb {

// Prints what is not, and gives the exit code: 1 when something is not.
int run_witness_check(const CommonOptions& common, const std::string& path);

}  // namespace cb
