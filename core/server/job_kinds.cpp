// SPDX-License-Identifier: Apache-2.0
#include "core/server/job_kinds.h"

#include "core/server/clean_job.h"
#include "core/server/collection_jobs.h"
#include "core/server/drill_book.h"
#include "core/server/retention_job.h"
#include "core/server/verify_job.h"
#include "core/server/watch_job.h"

namespace cb::server {

std::vector<JobKind> job_kinds(const JobParts& parts, const FurtherJobs& further) {
  const CollectionParts collection = {
      .catalog = parts.catalog, .engine = parts.engine, .clock = parts.clock};
  RetentionParts retention;
  retention.catalog = parts.catalog;
  retention.engine = parts.engine;
  retention.book = parts.retention;
  retention.clock = parts.clock;
  retention.log = parts.log;
  retention.audit = parts.audit;
  retention.most_removed = [upkeep = parts.upkeep] { return upkeep().most_removed; };
  retention.alarms = parts.alarms;
  retention.look_first = [watch = watch_parts(parts)](const catalog::Account& account) {
    return WatchLook(watch, {}).account(account);
  };
  std::vector<JobKind> kinds = {
      retention_job(retention), collect_job(collection), compact_job(collection), verify_job(parts),
      clean_job(parts),         watch_job(parts),        drills_job(parts)};
  if (!further) return kinds;
  for (JobKind& kind : further(parts)) kinds.push_back(std::move(kind));
  return kinds;
}

}  // namespace cb::server
