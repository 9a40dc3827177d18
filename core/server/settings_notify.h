// SPDX-License-Identifier: Apache-2.0
//
// The tables [[notify]]: their schema and the targets that they mean. Used by settings*.cpp alone.
#pragma once

#include <memory>
#include <vector>

#include "core/notify/target.h"
#include "core/server/settings_tables.h"

namespace cb::server {

config::Schema notify_schema();

// What cannot work goes to `problems` with its place. Looks at the programs that are named.
std::vector<std::shared_ptr<const notify::Target>> notify_targets_of(const Tables& tables,
                                                                     config::Problems& problems);

}  // namespace cb::server
