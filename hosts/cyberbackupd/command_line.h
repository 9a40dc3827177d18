// SPDX-License-Identifier: Apache-2.0
//
// The command line of cyberbackupd: what was chosen, and how its commands are declared. For the
// main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "commands.h"

namespace cb::host {

// The options of all commands, and which command was chosen.
struct Chosen {
  CommonOptions common;
  InitOptions init;
  LegacyOptions legacy;
  ImportOptions importing;
  LegacyReportOptions legacy_report;
  LegacyRatchetOptions ratchet;
  LegacyAllowOptions allow;
  AccountOptions account;
  AuditOptions audit;
  JobOptions job;
  NotifyOptions notify;
  CheckOptions check;
  ReplicaOptions replica;
  RetentionOptions retention;
  LimitOptions limits;
  RebuildOptions rebuild;
  WatchOptions watch;
  StoreOptions store;
  TrafficOptions traffic;
  std::string plugin_id;
  bool as_toml = false;
  bool as_markdown = false;
  std::function<report::ExitCode()> command;

  [[nodiscard]] OptionsForm form() const {
    if (as_toml) return OptionsForm::toml;
    return as_markdown ? OptionsForm::markdown : OptionsForm::table;
  }
  [[nodiscard]] AccountOptions account_options() const {
    AccountOptions all = account;
    all.common = common;
    return all;
  }
  [[nodiscard]] CheckOptions check_options() const { return {common, check.read_data}; }
  [[nodiscard]] RebuildOptions rebuild_options() const {
    return {common, rebuild.dry_run, rebuild.scan};
  }
  [[nodiscard]] ImportOptions import_options() const { return with_common(importing); }
  [[nodiscard]] LegacyOptions legacy_options() const { return with_common(legacy); }

  // The options with what most commands take.
  template <typename Options>
  [[nodiscard]] Options with_common(Options all) const {
    all.common = common;
    return all;
  }
};

// A command with its example.
CLI::App* add(CLI::App& to, const std::string& name, const std::string& what,
              const std::string& example);
void add_json(CLI::App& command, bool& json);
// --config, --set and --json.
void add_common(CLI::App& command, CommonOptions& options);

// Each declares commands whose callback sets `chosen.command`; `chosen` outlives them.
void add_accounts(CLI::App& app, Chosen& chosen);
void add_devices(CLI::App& app, Chosen& chosen);
void add_token(CLI::App& app, Chosen& chosen);
void add_audit(CLI::App& app, Chosen& chosen);
void add_jobs(CLI::App& app, Chosen& chosen);
void add_legacy(CLI::App& app, Chosen& chosen);
// Into `limits`, which is made when it is not there.
void add_limits(CLI::App& app, Chosen& chosen);
void add_drills(CLI::App& app, Chosen& chosen);
void add_notifications(CLI::App& app, Chosen& chosen);
void add_replicas(CLI::App& app, Chosen& chosen);
void add_retention(CLI::App& app, Chosen& chosen);
void add_watch(CLI::App& app, Chosen& chosen);
// Also into `limits`, which is made when it is not there.
void add_traffic(CLI::App& app, Chosen& chosen);
void add_store(CLI::App& app, Chosen& chosen);
// Into `job`, which is made when it is not there: what waits for an approval.
void add_requests(CLI::App& app, Chosen& chosen);

}  // namespace cb::host
