// SPDX-License-Identifier: Apache-2.0
#include "core/server/clean_job.h"

namespace cb::server {
namespace {

Result<JobResult> clean(const JobParts& parts, const JobCall& call) {
  JobResult result;
  uint64_t runs = 0;
  if (!call.dry_run) {
    const int64_t before = (parts.clock->wall() - parts.upkeep().history).count();
    CB_ASSIGN(runs, parts.catalog->jobs().forget(before));
  }
  result.summary = "forgot " + std::to_string(runs) + " old runs of jobs";
  result.detail = {{"forgotten_runs", runs}};
  return result;
}

}  // namespace

JobKind clean_job(const JobParts& parts) {
  return {"clean", "forgets old runs of jobs and what uploads left behind",
          [parts](const JobCall& call) { return clean(parts, call); }, "hourly"};
}

}  // namespace cb::server
