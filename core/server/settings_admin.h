// SPDX-License-Identifier: Apache-2.0
//
// The table [admin]: who may use the daemon's admin socket. Used by settings*.cpp alone.
#pragma once

#include "core/server/settings_tables.h"

namespace cb::server {

config::Schema admin_schema();

// The user numbers of `operators`. A name that the system does not know is a problem.
std::vector<uint32_t> operators_of(const CheckedTable& table, const config::Place& file,
                                   config::Problems& problems);

}  // namespace cb::server
