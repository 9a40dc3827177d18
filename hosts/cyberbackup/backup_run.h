// SPDX-License-Identifier: Apache-2.0
//
// A backup as another command ends with one. Used by one thread.
#pragma once

#include <string>
#include <vector>

#include "hosts/cyberbackup/workplace.h"

namespace cb {

// As `cyberbackup backup PATH...` with no options of its own; what the program exits with.
int back_up(const CommonOptions& common, const std::vector<std::string>& paths);

}  // namespace cb
