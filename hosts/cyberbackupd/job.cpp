// SPDX-License-Identifier: Apache-2.0
//
// What the server does by itself: its jobs, and what came of them.
#include "answer.h"
#include "check_screen.h"
#include "core/base/units.h"
#include "core/report/table.h"
#include "hosts/retention/retention_text.h"

namespace cb::host {
namespace {

using report::ExitCode;
using report::Json;

// The last line of a table ends without a newline, as print adds one.
std::string text_of_table(const report::Table& table) {
  std::string text = table.text();
  if (!text.empty()) text.pop_back();
  return text;
}

std::string moment(const Json& from, const char* key) {
  const auto time = from.value(key, int64_t{0});
  return time == 0 ? "" : utc(time);
}

std::string took(const Json& run) {
  const auto ended = run.value("ended_ns", int64_t{0});
  if (ended == 0) return "";
  return format_duration(std::chrono::nanoseconds(ended - run.value("begun_ns", int64_t{0})));
}

std::string state_of(const Json& job) {
  if (job.contains("held") && !job.contains("running"))
    return "held: " + report::text_of(job, "held");
  if (!job.contains("running"))
    return report::text_of(job.value("last", Json::object()), "outcome");
  const Json& running = job["running"];
  const auto total = running.value("total", uint64_t{0});
  if (total == 0) return "running";
  return "running " + std::to_string(100 * running.value("done", uint64_t{0}) / total) + "%";
}

std::string jobs_text(const Json& all) {
  report::Table table({{"job"}, {"schedule"}, {"next"}, {"last"}, {"state"}, {"summary"}});
  for (const Json& one : all) {
    const Json last = one.value("last", Json::object());
    table.add({report::text_of(one, "job"), report::text_of(one, "schedule"),
               moment(one, "next_ns"), moment(last, "begun_ns"), state_of(one),
               report::text_of(last, "summary")});
  }
  return text_of_table(table);
}

std::string history_text(const Json& all) {
  if (all.empty()) return "nothing ran yet";
  report::Table table(
      {{"run", true}, {"job"}, {"began"}, {"took", true}, {"asked by"}, {"outcome"}, {"summary"}});
  for (const Json& one : all)
    table.add({number(one, "number"), report::text_of(one, "job"), moment(one, "begun_ns"),
               took(one), report::text_of(one, "asked_by"), report::text_of(one, "outcome"),
               report::text_of(one, "summary")});
  return text_of_table(table);
}

std::string run_text(const Json& run) {
  std::string text;
  const Json result = run.value("result", Json::object());
  for (const Json& finding : result.value("findings", Json::array()))
    text += "damage in " + report::text_of(finding, "account") + ": " +
            report::text_of(finding, "finding") + "\n";
  for (const Json& note : result.value("notes", Json::array()))
    text +=
        "note of " + report::text_of(note, "account") + ": " + report::text_of(note, "note") + "\n";
  if (result.contains("sources") && result.value("dry_run", false))
    text += retention_plan_text(result) + "\n";
  text += report::text_of(run, "job") + ": " + report::text_of(run, "summary");
  if (run.value("short", false)) text += " (its budget ended it: there is more to do)";
  return text;
}

// What a run ends the program with.
ExitCode exit_of(const Json& run) {
  const std::string outcome = report::text_of(run, "outcome");
  if (outcome == "cancelled" || outcome == "interrupted") return ExitCode::interrupted;
  const Json findings = run.value("result", Json::object()).value("findings", Json::array());
  if (outcome == "failed" || !findings.empty()) return ExitCode::failed;
  return outcome == "asks" ? ExitCode::partial : ExitCode::done;
}

Result<Json> request_of(const JobOptions& options) {
  Json request = {{"command", "job.run"}, {"job", options.name}, {"dry_run", options.dry_run}};
  if (!options.account.empty()) request["account"] = options.account;
  if (!options.budget_bytes.empty()) {
    CB_ASSIGN(request["most_bytes"], parse_size(options.budget_bytes));
  }
  if (!options.budget_time.empty()) {
    CB_ASSIGN(const auto time, parse_duration(options.budget_time));
    request["most_time_ns"] = time.count();
  }
  return request;
}

}  // namespace

ExitCode run_job_list(const JobOptions& options) {
  return show(options.common, {{"command", "job.list"}}, jobs_text);
}

ExitCode run_job_history(const JobOptions& options) {
  return show(options.common,
              {{"command", "job.history"}, {"job", options.name}, {"most", options.most}},
              history_text);
}

ExitCode run_job_cancel(const JobOptions& options) {
  return show(
      options.common, {{"command", "job.cancel"}, {"job", options.name}},
      [](const Json& one) { return "job " + report::text_of(one, "job") + " is told to end"; });
}

ExitCode run_job_run(const JobOptions& options) {
  const auto request = request_of(options);
  if (!request) return tell(request.error(), options.common.json);
  CheckScreen screen(options.name, options.common.json, "steps");
  const auto run = run_admin(options.common, *request,
                             [&](uint64_t done, uint64_t total) { screen.show(done, total); });
  screen.finish();
  if (!run) return tell(run.error(), options.common.json);
  print(options.common.json ? report::json_line(*run) : run_text(*run));
  return exit_of(*run);
}

}  // namespace cb::host
