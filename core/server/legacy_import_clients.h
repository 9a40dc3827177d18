// SPDX-License-Identifier: Apache-2.0
//
// Which clients an import makes here, and under which names. For one thread; does not block.
#pragma once

#include "core/server/legacy_import_plan.h"

namespace cb::server {

// The clients of the plan; its files have their owners already. A client whose name cannot be kept
// comes under another one if it has files, else not at all.
std::vector<PlannedClient> plan_clients(const ImportInput& input,
                                        const std::vector<PlannedFile>& files);

}  // namespace cb::server
