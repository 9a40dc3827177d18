// SPDX-License-Identifier: Apache-2.0
//
// Commands about what the server does by itself.
#include "command_line.h"

namespace cb::host {
namespace {

void add_run(CLI::App& job, Chosen& chosen) {
  JobOptions& options = chosen.job;
  CLI::App* run = add(job, "run", "Run a job now, and wait for its end",
                      "cyberbackupd job run verify --account alice\n"
                      "  cyberbackupd job run retention --dry-run");
  run->add_option("NAME", options.name, "The job, as `job list` names it")->required();
  run->add_option("--account", options.account, "Only this account's repository");
  run->add_flag("--dry-run", options.dry_run, "Only say what it would do");
  run->add_option("--budget-bytes", options.budget_bytes, "As much as it may read and write");
  run->add_option("--budget-time", options.budget_time, "As long as it may take");
  add_common(*run, chosen.common);
  run->callback(
      [&] { chosen.command = [&] { return run_job_run(chosen.with_common(chosen.job)); }; });
}

}  // namespace

void add_jobs(CLI::App& app, Chosen& chosen) {
  JobOptions& options = chosen.job;
  CLI::App* job =
      add(app, "job", "What the server does by itself", "cyberbackupd job list --config FILE");
  job->require_subcommand(1);
  CLI::App* list = add(*job, "list", "Print all jobs: when they run next, and how they ended",
                       "cyberbackupd job list");
  add_common(*list, chosen.common);
  list->callback(
      [&] { chosen.command = [&] { return run_job_list(chosen.with_common(chosen.job)); }; });
  add_run(*job, chosen);
  CLI::App* cancel =
      add(*job, "cancel", "Tell a running job to end soon", "cyberbackupd job cancel verify");
  cancel->add_option("NAME", options.name, "The job")->required();
  add_common(*cancel, chosen.common);
  cancel->callback(
      [&] { chosen.command = [&] { return run_job_cancel(chosen.with_common(chosen.job)); }; });
  CLI::App* history = add(*job, "history", "Print what ran, the newest first",
                          "cyberbackupd job history verify --most 10");
  history->add_option("NAME", options.name, "Only this job");
  history->add_option("--most", options.most, "So many runs")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  add_common(*history, chosen.common);
  history->callback(
      [&] { chosen.command = [&] { return run_job_history(chosen.with_common(chosen.job)); }; });
}

}  // namespace cb::host
