// SPDX-License-Identifier: Apache-2.0
//
// Checks of instances when something goes wrong: options, randomness, memory. Functions are pure.
#pragma once

#include <vector>

#include "hosts/cyberbackup-plugin-check/check.h"

namespace cb::check {

std::vector<Check> life_failure_checks();

// A check of the group `life`, after create-from-defaults.
Check life_check(std::string_view name, std::string_view sentence, Result<Verdict> (*run)(Subject&),
                 std::chrono::seconds timeout);

}  // namespace cb::check
