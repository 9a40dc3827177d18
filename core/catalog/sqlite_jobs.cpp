// SPDX-License-Identifier: Apache-2.0
//
// The SQL of runs of jobs.
#include "core/catalog/sqlite_jobs.h"

#include <limits>

namespace cb::catalog {
namespace {

#define CB_RUN_COLUMNS "number, job, asked_by, due_ns, begun_ns, ended_ns, outcome, summary, detail"

constexpr const char* kBegin =
    "INSERT INTO job_run (job, asked_by, due_ns, begun_ns, ended_ns, outcome, summary, detail)"
    " VALUES (?, ?, ?, ?, 0, 0, x'', '') RETURNING number";
constexpr const char* kEnd =
    "UPDATE job_run SET ended_ns = ?, outcome = ?, summary = ?, detail = ?"
    " WHERE number = ? AND outcome = 0";
constexpr const char* kInterrupt =
    "UPDATE job_run SET ended_ns = ?, outcome = 4, summary = CAST('the daemon ended meanwhile' AS"
    " BLOB) WHERE outcome = 0";
constexpr const char* kHistory = "SELECT " CB_RUN_COLUMNS
                                 " FROM job_run WHERE number < ?"
                                 " ORDER BY number DESC LIMIT ?";
constexpr const char* kHistoryOf = "SELECT " CB_RUN_COLUMNS
                                   " FROM job_run WHERE number < ? AND job = ?"
                                   " ORDER BY number DESC LIMIT ?";
constexpr const char* kScheduled = "SELECT " CB_RUN_COLUMNS
                                   " FROM job_run WHERE job = ? AND due_ns <> 0"
                                   " ORDER BY number DESC LIMIT ?";
constexpr const char* kOldest = "SELECT begun_ns FROM job_run ORDER BY number LIMIT 1";
constexpr const char* kForget =
    "DELETE FROM job_run WHERE begun_ns < ? AND outcome <> 0"
    " AND number <> (SELECT max(number) FROM job_run newest WHERE newest.job = job_run.job)"
    " AND number IS NOT (SELECT max(number) FROM job_run newest"
    "  WHERE newest.job = job_run.job AND newest.due_ns <> 0)";

constexpr const char* kForgetSame =
    "DELETE FROM job_run WHERE number < ?1 AND due_ns <> 0 AND (job, outcome, summary) ="
    " (SELECT job, outcome, summary FROM job_run WHERE number = ?1)";

Result<std::vector<JobRun>> read_runs(Statement select) {
  std::vector<JobRun> all;
  for (;;) {
    CB_ASSIGN(const bool row, select.step());
    if (!row) return all;
    JobRun& run = all.emplace_back();
    run.number = select.integer(0);
    run.job = select.text(1);
    run.asked_by = as_text(select.blob(2));
    run.due_ns = select.integer(3);
    run.begun_ns = select.integer(4);
    run.ended_ns = select.integer(5);
    run.outcome = static_cast<JobOutcome>(select.integer(6));
    run.summary = as_text(select.blob(7));
    run.detail = select.text(8);
  }
}

}  // namespace

const char* name_of(JobOutcome outcome) {
  switch (outcome) {
    case JobOutcome::running:
      return "running";
    case JobOutcome::done:
      return "done";
    case JobOutcome::failed:
      return "failed";
    case JobOutcome::cancelled:
      return "cancelled";
    case JobOutcome::interrupted:
      return "interrupted";
    case JobOutcome::asks:
      return "asks";
  }
  return "unknown";
}

Result<int64_t> SqliteJobs::begin(const JobRun& run) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement insert, writer_.connection->prepare(kBegin));
  insert.bind_text(run.job).bind(as_bytes(run.asked_by)).bind(run.due_ns).bind(run.begun_ns);
  CB_TRY(insert.step());
  const int64_t number = insert.integer(0);
  CB_TRY(insert.run());
  return number;
}

Status SqliteJobs::end(const JobRun& run) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement update, writer_.connection->prepare(kEnd));
  update.bind(run.ended_ns).bind(static_cast<int64_t>(run.outcome)).bind(as_bytes(run.summary));
  CB_TRY(update.bind_text(run.detail).bind(run.number).run());
  if (writer_.connection->changes() == 1) return {};
  return failed(Code::not_found, "run " + std::to_string(run.number) + " of a job",
                "does not run any more");
}

Result<uint64_t> SqliteJobs::interrupt(int64_t now_ns) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement update, writer_.connection->prepare(kInterrupt));
  CB_TRY(update.bind(now_ns).run());
  return static_cast<uint64_t>(writer_.connection->changes());
}

Result<std::vector<JobRun>> SqliteJobs::history(const std::string& job, int64_t before,
                                                size_t most) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(job.empty() ? kHistory : kHistoryOf));
  select.bind(before > 0 ? before : std::numeric_limits<int64_t>::max());
  if (!job.empty()) select.bind_text(job);
  select.bind(static_cast<int64_t>(most));
  return read_runs(std::move(select));
}

Result<std::vector<JobRun>> SqliteJobs::scheduled(const std::string& job, size_t most) {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kScheduled));
  select.bind_text(job).bind(static_cast<int64_t>(most));
  return read_runs(std::move(select));
}

Result<std::optional<int64_t>> SqliteJobs::oldest() {
  const std::lock_guard lock(reader_.mutex);
  CB_ASSIGN(Statement select, reader_.connection->prepare(kOldest));
  CB_ASSIGN(const bool row, select.step());
  return row ? std::optional(select.integer(0)) : std::nullopt;
}

Result<uint64_t> SqliteJobs::forget(int64_t before_ns) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement drop, writer_.connection->prepare(kForget));
  CB_TRY(drop.bind(before_ns).run());
  return static_cast<uint64_t>(writer_.connection->changes());
}

Result<uint64_t> SqliteJobs::forget_same(int64_t number) {
  const std::lock_guard lock(writer_.mutex);
  CB_ASSIGN(Statement remove, writer_.connection->prepare(kForgetSame));
  CB_TRY(remove.bind(number).run());
  return static_cast<uint64_t>(writer_.connection->changes());
}

}  // namespace cb::catalog
