// SPDX-License-Identifier: Apache-2.0
//
// The commands of cyberbackupd. Each prints its result to stdout and its error to stderr, and
// returns the program's exit code. For the main thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/report/exit_code.h"
#include "core/server/settings.h"
#include "hosts/retention/rule_options.h"

namespace cb::host {

// What most commands take.
struct CommonOptions {
  std::string config = "cyberbackupd.toml";
  std::vector<std::string> set;
  bool json = false;
};

struct InitOptions {
  std::string folder;
  std::string listen_v3;
  std::string listen_v4;
  std::string store = "fs";
  std::string plugins;  // folder; empty = the program's
  bool json = false;
};

struct LegacyOptions {
  CommonOptions common;
  std::string client;
  std::string file;
  std::optional<uint64_t> version;
  std::string to;
};

struct ImportOptions {
  CommonOptions common;
  std::string database;  // empty: none
  std::string folder;    // empty: the database's
  std::string report;    // file; empty: none
  bool dry_run = false;
};

struct LegacyReportOptions {
  CommonOptions common;
  std::string since = "30d";
  bool metrics = false;
};

// About one client of protocol 3, or all.
struct LegacyRatchetOptions {
  CommonOptions common;
  std::string show;  // only this one
  std::string lift;
  std::string life = "7d";
  std::string close;
};

struct LegacyAllowOptions {
  CommonOptions common;
  std::string name;
  std::string expires = "7d";
  std::string revoke;
};

struct AccountOptions {
  CommonOptions common;
  std::string name;
  std::string legacy;           // a client of protocol 3 in place of an account
  std::string expires = "24h";  // of a token
  std::string password_file;    // empty: the terminal
  bool remove = false;          // the password
  std::string device;
  std::string mode;                // of a client of protocol 3; empty: as it is
  std::optional<int> min_version;  // the same
  std::string ratchet;             // on, off or empty: as it is
};

// About copies between servers; each command takes some of them.
struct ReplicaOptions {
  CommonOptions common;
  std::string name;
  std::string token;       // its text
  std::string token_file;  // "-": standard input
  std::vector<std::string> servers;
  std::vector<std::string> accounts;
  bool remove_vanished = false;
  bool heal_only = false;
};

struct CheckOptions {
  CommonOptions common;
  bool read_data = false;
};

// About retention; each command takes some of them.
struct RetentionOptions {
  CommonOptions common;
  std::string account;
  std::string source;  // a prefix; empty: the repository
  RuleOptions rules;
  std::string snapshot;  // a prefix
  std::string until;     // empty: for good
  std::string reason;
  int64_t request = 0;
};

// About limits. Values are as written, by the option's name; empty ones were not given.
struct LimitOptions {
  CommonOptions common;
  std::string account;
  std::string device;  // empty: the account itself
  std::map<std::string, std::string> values;
};

// About sources that are watched; each command takes some of them.
struct WatchOptions {
  CommonOptions common;
  std::string account;
  std::string source;     // a prefix; empty: all
  std::string what;       // none, history, or empty with `expect`
  std::string expect;     // a length of time
  std::string tolerance;  // empty: a quarter of it
};

struct RebuildOptions {
  CommonOptions common;
  bool dry_run = false;
  bool scan = false;
};

struct AuditOptions {
  CommonOptions common;
  std::string since;  // empty: from the beginning
  std::string until;  // empty: to the end
  std::string action;
  std::string file;     // of an export
  std::string against;  // file of what was told before
};

struct JobOptions {
  CommonOptions common;
  std::string name;  // of the job
  std::string account;
  bool dry_run = false;
  std::string budget_bytes;  // empty: none
  std::string budget_time;
  int most = 50;  // runs of the history
};

// About notifications.
struct NotifyOptions {
  CommonOptions common;
  std::string name;  // of a target; empty: all
};

// About traffic rules; each command takes some of them.
struct TrafficOptions {
  CommonOptions common;
  std::string length;  // of a pause; empty: see until
  std::string until;   // empty, too: no end
  std::string rule;
  std::string rate;
  std::string burst;  // empty: that of one second
};

struct StoreOptions {
  CommonOptions common;
  std::string mode;   // empty: only print it
  std::string drain;  // empty: as configured
  bool wait = false;
};

enum class OptionsForm { table, toml, markdown };

report::ExitCode run_init(const InitOptions& options);
report::ExitCode run_serve(const CommonOptions& options);
report::ExitCode run_config_check(const CommonOptions& options);
report::ExitCode run_config_show(const CommonOptions& options);
report::ExitCode run_config_options(OptionsForm form);
report::ExitCode run_plugins_list(const CommonOptions& options);
report::ExitCode run_plugins_options(const CommonOptions& options, const std::string& id,
                                     OptionsForm form);
report::ExitCode run_plugins_pin(const CommonOptions& options);
report::ExitCode run_legacy_list(const LegacyOptions& options);
report::ExitCode run_legacy_export(const LegacyOptions& options);
report::ExitCode run_legacy_import(const ImportOptions& options);
report::ExitCode run_legacy_report(const LegacyReportOptions& options);
report::ExitCode run_legacy_ratchet(const LegacyRatchetOptions& options);
report::ExitCode run_legacy_allow(const LegacyAllowOptions& options);
report::ExitCode run_account_add(const AccountOptions& options);
report::ExitCode run_account_list(const AccountOptions& options);
report::ExitCode run_account_show(const AccountOptions& options);
report::ExitCode run_account_enable(const AccountOptions& options, bool enable);
report::ExitCode run_account_password(const AccountOptions& options);
report::ExitCode run_account_mode(const AccountOptions& options);
report::ExitCode run_device_list(const AccountOptions& options);
// `what`: "disable", "enable" or "revoke".
report::ExitCode run_device_change(const AccountOptions& options, const std::string& what);
report::ExitCode run_token_create(const AccountOptions& options);
report::ExitCode run_replica_token(const ReplicaOptions& options);
report::ExitCode run_replica_add(const ReplicaOptions& options);
report::ExitCode run_replica_list(const ReplicaOptions& options);
report::ExitCode run_replica_remove(const ReplicaOptions& options);
report::ExitCode run_retention_show(const RetentionOptions& options);
report::ExitCode run_retention_set(const RetentionOptions& options);
report::ExitCode run_retention_pin(const RetentionOptions& options, bool pins);
// A dry run of the job, as a table.
report::ExitCode run_retention_plan(const RetentionOptions& options);
report::ExitCode run_requests(const CommonOptions& options);
report::ExitCode run_limits_show(const LimitOptions& options);
report::ExitCode run_limits_set(const LimitOptions& options);
report::ExitCode run_approve(const RetentionOptions& options);
report::ExitCode run_check(const CheckOptions& options);
report::ExitCode run_rebuild(const RebuildOptions& options);
report::ExitCode run_audit_list(const AuditOptions& options);
report::ExitCode run_audit_verify(const AuditOptions& options);
report::ExitCode run_audit_export(const AuditOptions& options);
report::ExitCode run_job_list(const JobOptions& options);
report::ExitCode run_job_run(const JobOptions& options);
report::ExitCode run_job_cancel(const JobOptions& options);
report::ExitCode run_job_history(const JobOptions& options);
report::ExitCode run_watch_list(const WatchOptions& options);
report::ExitCode run_watch_release(const WatchOptions& options);
report::ExitCode run_watch_set(const WatchOptions& options);
report::ExitCode run_drill_list(const AccountOptions& options);
report::ExitCode run_notify_list(const NotifyOptions& options);
report::ExitCode run_notify_test(const NotifyOptions& options);
report::ExitCode run_traffic_show(const CommonOptions& options);
report::ExitCode run_traffic_pause(const TrafficOptions& options);
report::ExitCode run_traffic_resume(const CommonOptions& options);
report::ExitCode run_traffic_set(const TrafficOptions& options);
report::ExitCode run_store_mode(const StoreOptions& options);
report::ExitCode run_status(const CommonOptions& options);

}  // namespace cb::host
