// SPDX-License-Identifier: Apache-2.0
#include "core/server/job_kinds.h"

#include "core/server/clean_job.h"
#include "core/server/collection_jobs.h"

namespace cb::server {

std::vector<JobKind> job_kinds(const JobParts& parts) {
  const CollectionParts collection = {
      .catalog = parts.catalog, .engine = parts.engine, .clock = parts.clock};
  return {collect_job(collection), compact_job(collection), clean_job(parts)};
}

}  // namespace cb::server
