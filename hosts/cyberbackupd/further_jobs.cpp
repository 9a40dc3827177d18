// SPDX-License-Identifier: Apache-2.0
#include "further_jobs.h"

#include "core/replication/replicate_job.h"

namespace cb::host {

server::FurtherJobs further_jobs() {
  return [](const server::JobParts& parts) -> std::vector<server::JobKind> {
    return {replication::replicate_job(parts, replication::connect_with(*parts.registry))};
  };
}

}  // namespace cb::host
