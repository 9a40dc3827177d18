// SPDX-License-Identifier: Apache-2.0
//
// The daemon's jobs that stand above the server: what it does as another server's client.
#pragma once

#include "core/server/job_kinds.h"

namespace cb::host {

server::FurtherJobs further_jobs();

}  // namespace cb::host
