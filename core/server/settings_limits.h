// SPDX-License-Identifier: Apache-2.0
//
// What [limits] says about accounts, devices and the store's low-water mark. Used by settings*.cpp
// alone. Functions are pure.
#pragma once

#include "core/server/limit_set.h"
#include "core/server/settings_tables.h"

namespace cb::server {

// These keys of the table.
config::Schema quota_schema();

// What cannot be goes to `problems` with its place.
LimitDefaults limit_defaults_of(const CheckedTable& table, const config::Place& file,
                                config::Problems& problems);

// Below the reserve it would come too late: that goes to `problems`.
uint64_t low_water_of(const CheckedTable& table, const config::Place& file,
                      config::Problems& problems);

}  // namespace cb::server
