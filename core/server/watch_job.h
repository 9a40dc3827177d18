// SPDX-License-Identifier: Apache-2.0
//
// The job that speaks up (docs/watch.md): looks at snapshots that came, tells once of each source
// whose backup did not come and once when it is back, ends freezes in time, and looks after the
// store and the plugins.
#pragma once

#include "core/server/job_kinds.h"
#include "core/server/watch_look.h"

namespace cb::server {

// Its function is for one thread at a time.
JobKind watch_job(const JobParts& parts);

// What WatchLook needs of them.
WatchParts watch_parts(const JobParts& parts);

}  // namespace cb::server
