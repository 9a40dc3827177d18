// SPDX-License-Identifier: Apache-2.0
//
// The tables [[traffic]]: their schema and the rules that they make. Used by settings*.cpp alone.
// Functions are pure.
#pragma once

#include "core/server/settings_tables.h"

namespace cb::server {

config::Schema traffic_schema();

// What cannot be goes to `problems` with its place.
std::vector<TrafficRule> traffic_of(const Tables& tables, config::Problems& problems);

}  // namespace cb::server
