// SPDX-License-Identifier: Apache-2.0
//
// The table [watch]: its schema and what it means. Used by settings*.cpp alone. Functions are pure.
#pragma once

#include "core/server/settings_tables.h"

namespace cb::server {

config::Schema watch_schema();

// What cannot be goes to `problems` with its place.
WatchSettings watch_of(const CheckedTable& table, const config::Place& file,
                       config::Problems& problems);

}  // namespace cb::server
