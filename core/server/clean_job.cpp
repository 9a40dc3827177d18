// SPDX-License-Identifier: Apache-2.0
#include "core/server/clean_job.h"

#include "core/repository/catalog_rebuild.h"

namespace cb::server {
namespace {

// Uploads that nobody brings any more; a damaged repository keeps no other from its turn.
Result<uint64_t> drop_uploads(const JobParts& parts, const JobCall& call) {
  uint64_t dropped = 0, looked_at = 0;
  CB_ASSIGN(const auto rows, parts.catalog->index().repositories());
  for (const catalog::RepositoryRow& row : rows) {
    if (call.progress && !call.progress(looked_at++, rows.size(), "repositories"))
      return failed(Code::cancelled, "clean", "was cancelled");
    const auto some = parts.engine->drop_stale_uploads(repository::RepositoryId{row.id});
    if (!some && !repository::is_damage(some.error().code)) return failed(some.error());
    dropped += some.value_or(0);
  }
  return dropped;
}

Result<JobResult> clean(const JobParts& parts, const JobCall& call) {
  JobResult result;
  uint64_t runs = 0;
  uint64_t uploads = 0;
  if (!call.dry_run) {
    CB_ASSIGN(uploads, drop_uploads(parts, call));
    const int64_t before = (parts.clock->wall() - parts.upkeep().history).count();
    CB_ASSIGN(runs, parts.catalog->jobs().forget(before));
  }
  result.summary = "forgot " + std::to_string(runs) + " old runs of jobs and " +
                   std::to_string(uploads) + " uploads that nobody brings any more";
  result.detail = {{"forgotten_runs", runs}, {"dropped_uploads", uploads}};
  return result;
}

}  // namespace

JobKind clean_job(const JobParts& parts) {
  return {"clean", "forgets old runs of jobs and what uploads left behind",
          [parts](const JobCall& call) { return clean(parts, call); }, "hourly"};
}

}  // namespace cb::server
