// SPDX-License-Identifier: Apache-2.0
#include "core/server/job_kinds.h"

#include "core/server/clean_job.h"

namespace cb::server {

std::vector<JobKind> job_kinds(const JobParts& parts) { return {clean_job(parts)}; }

}  // namespace cb::server
