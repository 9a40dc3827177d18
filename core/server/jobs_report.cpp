// SPDX-License-Identifier: Apache-2.0
//
// What is kept and told of runs.
#include "core/server/jobs.h"

namespace cb::server {
namespace {

using report::Json;

constexpr size_t kMostOfList = 20;
constexpr size_t kMostDetail = 16 * 1024;
constexpr size_t kMostAnswer = 512 * 1024;  // bytes of a history

// The counts, and the first of each list: the log has them all.
Json kept_detail(const JobCall& call, const JobResult& result) {
  Json detail = {{"short", result.is_short}};
  if (call.account) detail["account"] = *call.account;
  if (result.detail.is_null()) return detail;
  Json kept = result.detail;
  for (auto& member : kept.items()) {
    Json& list = member.value();
    if (list.is_array() && list.size() > kMostOfList)
      list.erase(list.begin() + kMostOfList, list.end());
  }
  if (report::json_line(kept).size() <= kMostDetail) detail["result"] = std::move(kept);
  return detail;
}

// Did a schedule begin it, and nothing came of it?
bool is_quiet(const JobCall& call, const JobReport& report) {
  return report.result.is_idle && call.asked_by == kSchedule &&
         report.outcome == catalog::JobOutcome::done;
}

}  // namespace

void Jobs::note_end(const JobKind& kind, const JobCall& call, JobReport& report) {
  catalog::JobRun run;
  run.number = report.number;
  run.job = kind.name;
  run.ended_ns = now();
  run.outcome = report.outcome;
  run.summary = report.result.summary;
  run.detail = report::json_line(kept_detail(call, report.result));
  const log::Level level =
      report.outcome == catalog::JobOutcome::failed ? log::Level::error : log::Level::info;
  parts_.log->write(level, "job.end",
                    {{"job", kind.name},
                     {"asked_by", call.asked_by},
                     {"outcome", catalog::name_of(report.outcome)},
                     {"summary", report.result.summary}});
  if (!call.dry_run) tell_end(kind, call, report);
  if (run.number != 0) keep_end(run, is_quiet(call, report));
}

void Jobs::keep_end(const catalog::JobRun& run, bool quietly) {
  Status ended = parts_.catalog->end(run);
  if (ended && quietly) {
    const auto forgot = parts_.catalog->forget_same(run.number);
    if (!forgot) ended = failed(forgot.error());
  }
  if (!ended)
    parts_.log->error("job.not-noted", {{"job", run.job}, {"error", ended.error().text()}});
}

// A record of the audit log; an event for the first of several runs that fail, and one when the job
// is well again. Who began a run by hand sees what came of it.
void Jobs::tell_end(const JobKind& kind, const JobCall& call, const JobReport& report) {
  using catalog::JobOutcome;
  if (parts_.audit != nullptr && !is_quiet(call, report))
    parts_.audit->write({call.asked_by, "", "job." + kind.name, call.account.value_or(""),
                         catalog::name_of(report.outcome), report.result.summary});
  if (parts_.alarms == nullptr) return;
  const std::string name = std::string(event::kJobFailed) + " " + kind.name;
  Event event;
  if (report.outcome == JobOutcome::failed && call.asked_by == kSchedule) {
    event.kind = event::kJobFailed;
    event.subject = "job " + kind.name + " failed";
    event.text = report.result.summary + ". See: cyberbackupd job history " + kind.name;
    event.severity = Severity::warning;
    parts_.alarms->raise(name, std::move(event));
  } else if (report.outcome == JobOutcome::done || report.outcome == JobOutcome::asks) {
    event.kind = event::kJobWell;
    event.subject = "job " + kind.name + " runs again";
    event.text = report.result.summary;
    event.severity = Severity::info;
    if (parts_.alarms->clear(name)) parts_.alarms->post(std::move(event));
  }
}

Json Jobs::running_as_json() const {
  return {{"asked_by", running_->asked_by}, {"begun_ns", running_->begun_ns},
          {"done", running_->done},         {"total", running_->total},
          {"unit", running_->unit},         {"cancelled", running_->cancelled}};
}

Result<Json> Jobs::list() {
  Json all = Json::array();
  for (size_t job = 0; job < kinds_.size(); ++job) {
    CB_ASSIGN(const auto last, parts_.catalog->history(kinds_[job].name, 0, 2));
    Json one = {{"job", kinds_[job].name}, {"what", kinds_[job].what}};
    const std::lock_guard lock(mutex_);
    one["schedule"] = plans_[job].schedule.text();
    if (plans_[job].due) one["next_ns"] = plans_[job].start;
    if (const std::string why = held(kinds_[job]); !why.empty()) one["held"] = why;
    if (running_ && running_->kind == &kinds_[job]) one["running"] = running_as_json();
    for (const catalog::JobRun& run : last) {
      if (run.outcome == catalog::JobOutcome::running) continue;
      one["last"] = json_of(run);
      break;
    }
    all.push_back(std::move(one));
  }
  return all;
}

Result<Json> Jobs::history(const std::string& name, int64_t before, size_t most) {
  if (!name.empty() && kind_of(name) == nullptr)
    return failed(Code::not_found, "job '" + name + "'", "is not known",
                  "cyberbackupd job list shows all");
  CB_ASSIGN(const auto runs, parts_.catalog->history(name, before, most));
  Json all = Json::array();
  size_t size = 0;
  for (const catalog::JobRun& run : runs) {
    size += run.detail.size() + run.summary.size();
    if (size > kMostAnswer) break;
    all.push_back(json_of(run));
  }
  return all;
}

Json json_of(const catalog::JobRun& run) {
  Json one = {{"number", run.number},
              {"job", run.job},
              {"asked_by", run.asked_by},
              {"due_ns", run.due_ns},
              {"begun_ns", run.begun_ns},
              {"ended_ns", run.ended_ns},
              {"outcome", catalog::name_of(run.outcome)},
              {"summary", run.summary}};
  const auto detail = report::parse_json(run.detail);
  if (detail && detail->is_object()) one.update(*detail);
  return one;
}

Json json_of(const std::string& name, const JobReport& report) {
  Json one = {{"job", name},
              {"number", report.number},
              {"outcome", catalog::name_of(report.outcome)},
              {"summary", report.result.summary},
              {"short", report.result.is_short}};
  if (!report.result.detail.is_null()) one["result"] = report.result.detail;
  if (report.error) one["error"] = report::json_of(*report.error);
  return one;
}

}  // namespace cb::server
