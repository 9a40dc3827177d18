// SPDX-License-Identifier: Apache-2.0
#include "opened.h"

#include "core/os/account_names.h"
#include "core/os/process.h"
#include "core/report/utc_text.h"
#include "core/server/admin_commands.h"
#include "core/server/admin_server.h"
#include "core/server/jobs.h"
#include "further_jobs.h"

namespace cb::host {
namespace {

constexpr auto kPatience = std::chrono::seconds(15);

Result<std::unique_ptr<server::Jobs>> open_jobs(Opened& opened, log::Log& log, server::Audit& audit,
                                                server::Alarms& alarms,
                                                const server::Maintenance& maintenance) {
  server::JobParts parts;
  parts.watch = &opened.backend->watch();
  parts.alarms = &alarms;
  parts.catalog = &opened.backend->catalog();
  parts.engine = &opened.backend->engine();
  parts.clock = &os::system_clock();
  parts.random = &os::system_random();
  parts.log = &log;
  parts.retention = &opened.backend->retention();
  parts.audit = &audit;
  parts.upkeep = [&opened] { return opened.settings.upkeep; };
  parts.notes = &opened.backend->notes();
  parts.registry = opened.registry.get();
  parts.files = &os::real_file_system();
  parts.keys = opened.settings.keys_folder();
  const auto held = [&maintenance](bool writes) { return maintenance.refusal_of_job(writes); };
  return server::Jobs::open(
      {&parts.catalog->jobs(), parts.clock, parts.random, &log, &audit, &alarms, held},
      server::job_kinds(parts, further_jobs()), opened.settings.upkeep);
}

Result<report::Json> run_on_files(const CommonOptions& options, report::Json request,
                                  const std::function<void(uint64_t, uint64_t)>& progress) {
  CB_ASSIGN(const server::Settings settings, load_for_files(options));
  auto lock = os::FileLock::take(os::real_file_system(), settings.data / "lock");
  if (!lock)
    return failed(std::move(lock).error().with_advice(
        "a daemon is starting or ending, or another command runs: try again"));
  server::Seams seams;
  CB_TRY(server::ensure_signing_key(settings, seams));
  CB_ASSIGN(const auto opened, open_files(options));
  CB_ASSIGN(const auto log, log_of(opened->settings));
  server::Audit audit({&opened->backend->catalog().audit(), &os::system_clock(), log.get()});
  const server::V3Policy v3_policy({&opened->backend->catalog(), &opened->backend->archive().keys(),
                                    &os::system_clock(), log.get(), &audit},
                                   opened->settings.v3);
  server::Alarms alarms(
      {&opened->backend->catalog().sources(), nullptr, &os::system_clock(), log.get()});
  server::Maintenance maintenance(
      {&os::real_file_system(), settings.store_mode_file(), &os::system_clock(), log.get()},
      settings.store_mode);
  CB_ASSIGN(const auto jobs, open_jobs(*opened, *log, audit, alarms, maintenance));
  server::AdminCommands::Parts parts;
  parts.catalog = &opened->backend->catalog();
  parts.v3_policy = &v3_policy;
  parts.accounts = &opened->backend->catalog().accounts();
  parts.engine = &opened->backend->engine();
  parts.notes = &opened->backend->notes();
  parts.retention = &opened->backend->retention();
  parts.limits = &opened->backend->limits();
  parts.watch = &opened->backend->watch();
  parts.v3_keys = &opened->backend->archive().keys();
  parts.jobs = jobs.get();
  parts.maintenance = &maintenance;
  parts.clock = &os::system_clock();
  parts.random = &os::system_random();
  parts.log = log.get();
  parts.audit = &audit;
  request["asked_by"] = server::operator_text(started_by());
  parts.reach = [&] { return server::reach_of(opened->settings, {}, os::real_file_system()); };
  parts.keys = opened->settings.keys_folder();
  parts.replication = [&] { return opened->settings.upkeep.replication; };
  return server::AdminCommands(std::move(parts)).run(request, [&](uint64_t done, uint64_t total) {
    if (progress) progress(done, total);
    return true;
  });
}

}  // namespace

Result<std::unique_ptr<log::Output>> log_of(const server::Settings& settings) {
  return settings.log.file.empty() ? quiet_log() : log::open_log(settings.log);
}

Result<std::unique_ptr<Opened>> open_files(const CommonOptions& options, bool is_read_only) {
  auto opened = std::make_unique<Opened>();
  CB_ASSIGN(opened->settings, load_for_files(options));
  CB_ASSIGN(opened->log, quiet_log());
  opened->seams.log = opened->log.get();
  opened->seams.is_read_only = is_read_only;
  opened->registry = server::make_registry(opened->settings, opened->seams, *opened->log);
  CB_TRY(server::prepare_plugins(opened->settings, *opened->registry));
  CB_ASSIGN(opened->backend,
            server::Backend::open(opened->settings, *opened->registry, opened->seams));
  return opened;
}

Result<std::unique_ptr<catalog::Catalog>> open_catalog(const server::Settings& settings) {
  return catalog::open_sqlite_catalog(settings.catalog_file().string(), false);
}

Result<report::Json> run_admin(const CommonOptions& options, const report::Json& request,
                               const std::function<void(uint64_t, uint64_t)>& progress) {
  CB_ASSIGN(const server::Settings settings, load(options));
  CB_ASSIGN(auto answer,
            server::ask_daemon_if_any(settings.admin_socket(), request, kPatience, progress));
  if (answer) return std::move(*answer);
  return run_on_files(options, request, progress);
}

std::string utc(int64_t nanoseconds) { return report::utc_text(nanoseconds); }

std::string last_seen(int64_t nanoseconds) { return nanoseconds == 0 ? "never" : utc(nanoseconds); }

}  // namespace cb::host
