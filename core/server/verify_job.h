// SPDX-License-Identifier: Apache-2.0
//
// The job that reads packs and sees whether they are whole (docs/verification.md).
#pragma once

#include "core/server/job_kinds.h"

namespace cb::server {

// Its function is for one thread at a time.
JobKind verify_job(const JobParts& parts);

}  // namespace cb::server
