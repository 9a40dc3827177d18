// SPDX-License-Identifier: Apache-2.0
//
// The job that clears away what nobody needs any more, beside blobs: old history, and
// uploads of protocol 3 that nobody brings any more.
#pragma once

#include "core/server/job_kinds.h"

namespace cb::server {

// Its function is for one thread at a time.
JobKind clean_job(const JobParts& parts);

}  // namespace cb::server
