// SPDX-License-Identifier: Apache-2.0
//
// The parts that the checks of crypto suites come in. Functions are pure.
#pragma once

#include <vector>

#include "hosts/cyberbackup-plugin-check/check.h"

namespace cb::check {

std::vector<Check> crypto_key_checks();     // pairs, keys, names
std::vector<Check> crypto_stream_checks();  // sealed objects
std::vector<Check> crypto_answer_checks();  // what others have computed

}  // namespace cb::check
