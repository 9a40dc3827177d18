// SPDX-License-Identifier: Apache-2.0
//
// The parts that the checks of transports come in. Functions are pure.
#pragma once

#include <vector>

#include "hosts/cyberbackup-plugin-check/check.h"

namespace cb::check {

std::vector<Check> transport_flow_checks();  // what moves, and how it waits
std::vector<Check> transport_end_checks();   // handshakes, ends and cuts

}  // namespace cb::check
