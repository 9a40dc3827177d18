// SPDX-License-Identifier: Apache-2.0
//
// The schema of [v4]. Used by settings_schema.cpp alone.
#pragma once

#include "core/server/settings.h"

namespace cb::server {

config::Schema v4_schema();

}  // namespace cb::server
