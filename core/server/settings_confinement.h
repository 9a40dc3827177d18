// SPDX-License-Identifier: Apache-2.0
//
// The table [confinement]: as whom the daemon runs, and which system calls it may make. Used by
// settings*.cpp alone.
#pragma once

#include "core/server/settings_tables.h"

namespace cb::server {

config::Schema confinement_schema();

ConfinementSettings confinement_of(const Tables& tables, config::Problems& problems);

}  // namespace cb::server
