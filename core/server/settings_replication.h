// SPDX-License-Identifier: Apache-2.0
//
// The schemas of [replication] and [[replication.source]], and what they say. Used by the settings
// alone.
#pragma once

#include "core/server/replication_settings.h"
#include "core/server/settings_tables.h"

namespace cb::server {

config::Schema replication_schema();
config::Schema replication_source_schema();

// What is wrong goes to `problems`.
ReplicationSettings replication_of(const Tables& tables, config::Problems& problems);

}  // namespace cb::server
