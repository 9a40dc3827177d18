// SPDX-License-Identifier: Apache-2.0
//
// cyberbackupd: reads the command line and calls the command.
#include <CLI/CLI.hpp>
#include <functional>

#include "commands.h"
#include "core/server/program.h"

namespace cb::host {
namespace {

using report::ExitCode;

// The options of all commands, and which command was chosen.
struct Chosen {
  CommonOptions common;
  InitOptions init;
  LegacyOptions legacy;
  std::string plugin_id;
  bool as_toml = false;
  bool as_markdown = false;
  std::function<ExitCode()> command;

  [[nodiscard]] OptionsForm form() const {
    if (as_toml) return OptionsForm::toml;
    return as_markdown ? OptionsForm::markdown : OptionsForm::table;
  }
  [[nodiscard]] LegacyOptions legacy_options() const {
    LegacyOptions all = legacy;
    all.common = common;
    return all;
  }
};

CLI::App* add(CLI::App& to, const std::string& name, const std::string& what,
              const std::string& example) {
  CLI::App* command = to.add_subcommand(name, what);
  command->footer("Example:\n  " + example);
  return command;
}

void add_json(CLI::App& command, bool& json) {
  command.add_flag("--json", json, "Print one line of JSON");
}

void add_common(CLI::App& command, CommonOptions& options) {
  command.add_option("--config", options.config, "The configuration file")->capture_default_str();
  command.add_option("--set", options.set, "KEY=VALUE in place of what the file says");
  add_json(command, options.json);
}

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
  init->add_option("--listen-v4", options.listen_v4, "HOST:PORT of a listener over tls");
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

void add_legacy(CLI::App& app, Chosen& chosen) {
  CLI::App* legacy = add(app, "legacy", "The files of clients of protocol 3",
                         "cyberbackupd legacy export --client alice --to /tmp/alice");
  legacy->require_subcommand(1);
  CLI::App* list = add(*legacy, "list", "Print clients, files and versions",
                       "cyberbackupd legacy list --client alice --config FILE");
  list->add_option("--client", chosen.legacy.client, "Only this client");
  add_common(*list, chosen.common);
  list->callback(
      [&] { chosen.command = [&] { return run_legacy_list(chosen.legacy_options()); }; });
  CLI::App* to = add(*legacy, "export", "Give plain files back",
                     "cyberbackupd legacy export --client alice --file notes.txt --to /tmp/alice");
  to->add_option("--client", chosen.legacy.client, "The client's name")->required();
  auto* file = to->add_option("--file", chosen.legacy.file, "Only this file");
  to->add_option("--version", chosen.legacy.version, "This version; without it the newest")
      ->needs(file);
  to->add_option("--to", chosen.legacy.to, "The folder to write into")->required();
  add_common(*to, chosen.common);
  to->callback(
      [&] { chosen.command = [&] { return run_legacy_export(chosen.legacy_options()); }; });
}

int run(int count, char** arguments) {
  CLI::App app("The daemon of CyberBackup.");
  Chosen chosen;
  app.set_version_flag("--version", server::kProgramVersion);
  app.require_subcommand(1);
  app.footer(report::exit_codes_text());
  add_init(app, chosen);
  add_serve(app, chosen);
  add_config(app, chosen);
  add_plugins(app, chosen);
  add_legacy(app, chosen);
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
  }
  return static_cast<int>(chosen.command());
}

}  // namespace
}  // namespace cb::host

int main(int count, char** arguments) { return cb::host::run(count, arguments); }
