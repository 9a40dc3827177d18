// SPDX-License-Identifier: Apache-2.0
//
// What an operator asks of the server's jobs.
#include "core/server/admin_commands.h"
#include "core/server/jobs.h"

namespace cb::server {
namespace {

using report::Json;

constexpr int64_t kUsualHistory = 50;
constexpr int64_t kMostHistory = 1000;

Result<JobCall> call_of(const Json& request) {
  JobCall call;
  const std::string account = report::text_of(request, "account");
  if (!account.empty()) call.account = account;
  call.dry_run = request.value("dry_run", false);
  const int64_t bytes = report::number_of(request, "most_bytes", 0);
  const int64_t time = report::number_of(request, "most_time_ns", 0);
  if (bytes < 0 || time < 0) return failed(Code::invalid, "budget", "must not be negative");
  call.most_bytes = static_cast<uint64_t>(bytes);
  call.most_time = std::chrono::nanoseconds(time);
  call.asked_by = report::text_of(request, "asked_by");
  if (call.asked_by.empty()) call.asked_by = "operator";
  return call;
}

}  // namespace

Result<Json> AdminCommands::run_job(const Json& request, const Progress& progress) const {
  CB_ASSIGN(JobCall call, call_of(request));
  if (call.account) CB_TRY(account_of(request));
  if (progress)
    call.progress = [&progress](uint64_t done, uint64_t total, const std::string&) {
      return progress(done, total);
    };
  const std::string name = report::text_of(request, "job");
  CB_ASSIGN(const JobReport report, parts_.jobs->run(name, std::move(call)));
  return json_of(name, report);
}

Result<Json> AdminCommands::use_jobs(const std::string& command, const Json& request,
                                     const Progress& progress) const {
  if (parts_.jobs == nullptr)
    return failed(Code::unsupported, "command '" + command + "'", "is not served here");
  if (command == "job.list") return parts_.jobs->list();
  if (command == "job.run") return run_job(request, progress);
  if (command == "job.cancel") {
    const std::string name = report::text_of(request, "job");
    const Status cancelled = parts_.jobs->cancel(name);
    Result<Json> answer = Json{{"job", name}, {"cancelled", true}};
    if (!cancelled) answer = failed(cancelled.error());
    note(command, request, answer);
    return answer;
  }
  if (command != "job.history")
    return failed(Code::unsupported, "command '" + command + "'", "is not known",
                  "known are: status, " + names());
  const int64_t most = report::number_of(request, "most", kUsualHistory);
  if (most < 1 || most > kMostHistory)
    return failed(Code::invalid, "number of runs", "must be from 1 to 1000");
  return parts_.jobs->history(report::text_of(request, "job"),
                              report::number_of(request, "before", 0), static_cast<size_t>(most));
}

}  // namespace cb::server
