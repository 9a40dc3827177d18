// SPDX-License-Identifier: Apache-2.0
//
// cyberbackupd: reads the command line and calls the command.
#include "command_line.h"
#include "core/os/freed_memory.h"
#include "core/os/last_words.h"
#include "core/os/process.h"
#include "core/server/program.h"
#include "hosts/manual/manual.h"

namespace cb::host {
namespace {

using report::ExitCode;

void add_forms(CLI::App& command, Chosen& chosen) {
  auto* toml = command.add_flag("--toml", chosen.as_toml, "Print a commented sample file");
  command.add_flag("--markdown", chosen.as_markdown, "Print a page for a manual")->excludes(toml);
}

void add_init(CLI::App& app, Chosen& chosen) {
  CLI::App* init = add(app, "init", "Make a data folder with configuration, keys and store",
                       "cyberbackupd init /srv/backup --listen-v3 0.0.0.0:1256");
  InitOptions& options = chosen.init;
  init->add_option("DIR", options.folder, "The folder; empty or not there yet")->required();
  init->add_option("--listen-v3", options.listen_v3, "HOST:PORT of a listener over plain tcp");
  init->add_option("--listen-v4", options.listen_v4,
                   "HOST:PORT of a listener of protocol 4 over tls");
  init->add_option("--store", options.store, "fs (a folder) or sqlite (one file)")
      ->capture_default_str()
      ->check(CLI::IsMember({"fs", "sqlite"}));
  init->add_option("--plugins", options.plugins, "The folder of the plugins");
  add_json(*init, options.json);
  init->callback([&] { chosen.command = [&] { return run_init(chosen.init); }; });
}

void add_serve(CLI::App& app, Chosen& chosen) {
  CLI::App* serve = add(app, "serve", "Run in the foreground; SIGTERM ends, SIGHUP reloads",
                        "cyberbackupd serve --config /srv/backup/cyberbackupd.toml");
  add_common(*serve, chosen.common);
  serve->callback([&] { chosen.command = [&] { return run_serve(chosen.common); }; });
  CLI::App* status = add(app, "status", "Ask the running daemon how it fares",
                         "cyberbackupd status --config /srv/backup/cyberbackupd.toml");
  add_common(*status, chosen.common);
  status->callback([&] { chosen.command = [&] { return run_status(chosen.common); }; });
}

void add_config(CLI::App& app, Chosen& chosen) {
  CLI::App* config = add(app, "config", "Look at the configuration",
                         "cyberbackupd config check --config cyberbackupd.toml");
  config->require_subcommand(1);
  CLI::App* check = add(*config, "check", "Check the file, the plugins and their options",
                        "cyberbackupd config check --config cyberbackupd.toml");
  add_common(*check, chosen.common);
  check->callback([&] { chosen.command = [&] { return run_config_check(chosen.common); }; });
  CLI::App* show = add(*config, "show", "Print every value in force",
                       "cyberbackupd config show --set log.level=debug");
  add_common(*show, chosen.common);
  show->callback([&] { chosen.command = [&] { return run_config_show(chosen.common); }; });
  CLI::App* options =
      add(*config, "options", "Print every key with its meaning", "cyberbackupd config options");
  add_forms(*options, chosen);
  options->callback([&] { chosen.command = [&] { return run_config_options(chosen.form()); }; });
}

void add_plugins(CLI::App& app, Chosen& chosen) {
  CLI::App* plugins =
      add(app, "plugins", "Look at the plugins", "cyberbackupd plugins list --config FILE");
  plugins->require_subcommand(1);
  CLI::App* list = add(*plugins, "list", "Print the plugins and which of them were refused",
                       "cyberbackupd plugins list --config FILE");
  add_common(*list, chosen.common);
  list->callback([&] { chosen.command = [&] { return run_plugins_list(chosen.common); }; });
  CLI::App* options = add(*plugins, "options", "Print the options of one plugin",
                          "cyberbackupd plugins options store-fs --config FILE");
  options->add_option("ID", chosen.plugin_id, "The plugin")->required();
  add_common(*options, chosen.common);
  add_forms(*options, chosen);
  options->callback([&] {
    chosen.command = [&] {
      return run_plugins_options(chosen.common, chosen.plugin_id, chosen.form());
    };
  });
  CLI::App* pin = add(*plugins, "pin", "Print [plugins.sha256] for the configuration",
                      "cyberbackupd plugins pin --config FILE >> FILE");
  add_common(*pin, chosen.common);
  pin->callback([&] { chosen.command = [&] { return run_plugins_pin(chosen.common); }; });
}

void add_check(CLI::App& app, Chosen& chosen) {
  CLI::App* check = add(app, "check", "Look whether what is stored is whole",
                        "cyberbackupd check --read-data --config /srv/backup/cyberbackupd.toml");
  check->add_flag("--read-data", chosen.check.read_data, "Read every pack and verify it");
  add_common(*check, chosen.common);
  check->callback([&] { chosen.command = [&] { return run_check(chosen.check_options()); }; });
}

void add_rebuild(CLI::App& app, Chosen& chosen) {
  CLI::App* rebuild = add(app, "rebuild-catalog", "Make a lost catalog anew from the store alone",
                          "cyberbackupd rebuild-catalog --config /srv/backup/cyberbackupd.toml");
  rebuild->add_flag("--dry-run", chosen.rebuild.dry_run, "Only show what would come of it");
  rebuild->add_flag("--scan", chosen.rebuild.scan,
                    "Read every pack from front to back, and leave out what is damaged");
  add_common(*rebuild, chosen.common);
  rebuild->callback(
      [&] { chosen.command = [&] { return run_rebuild(chosen.rebuild_options()); }; });
}

ManualText manual_text() {
  return {8,
          server::kProgramVersion,
          {{"SIGNALS",
            "  SIGTERM   no new connections; running uploads have time to end (drain_timeout)\n"
            "  SIGHUP    reads the configuration and the certificates again\n"
            "\n"
            "A second SIGTERM ends it at once."},
           {"ENVIRONMENT",
            "CYBERBACKUPD_SERVER__WORKERS=4 overrides the key server.workers of the "
            "configuration,\nand so on."},
           {"SEE ALSO", "cyberbackup(1)"}}};
}

int run(int count, char** arguments) {
  CLI::App app("The daemon of CyberBackup.", "cyberbackupd");
  Chosen chosen;
  app.set_version_flag("--version", server::kProgramVersion);
  app.require_subcommand(1);
  app.footer(report::exit_codes_text());
  add_init(app, chosen);
  add_serve(app, chosen);
  add_config(app, chosen);
  add_plugins(app, chosen);
  add_accounts(app, chosen);
  add_devices(app, chosen);
  add_token(app, chosen);
  add_replicas(app, chosen);
  add_audit(app, chosen);
  add_retention(app, chosen);
  add_limits(app, chosen);
  add_watch(app, chosen);
  add_jobs(app, chosen);
  add_drills(app, chosen);
  add_notifications(app, chosen);
  add_traffic(app, chosen);
  add_store(app, chosen);
  add_check(app, chosen);
  add_rebuild(app, chosen);
  add_legacy(app, chosen);
  add_requests(app, chosen);
  add_manual(app, manual_text());
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return finish_parsing(app, error);
  }
  return static_cast<int>(chosen.command());
}

}  // namespace
}  // namespace cb::host

int main(int count, char** arguments) {
  cb::os::forbid_core_dumps();
  cb::os::say_last_words("cyberbackupd");
  cb::os::keep_little_freed_memory();
  return cb::host::run(count, arguments);
}
