// SPDX-License-Identifier: Apache-2.0
//
// Commands about clients of protocol 3.
#include "command_line.h"

namespace cb::host {
namespace {

void add_import(CLI::App& legacy, Chosen& chosen) {
  CLI::App* command =
      add(legacy, "import",
          "Take over clients and files of another server of protocol 3, which stays as it is. The "
          "daemon must be ended. Broken off, it goes on when it is run again",
          "cyberbackupd legacy import --db /old/defensive.db --files /old --dry-run\n"
          "  cyberbackupd legacy import --db /old/defensive.db --files /old --report import.json\n"
          "  cyberbackupd legacy import --files /old");
  ImportOptions& options = chosen.importing;
  auto* database = command->add_option("--db", options.database,
                                       "The other server's database (defensive.db, db.defensive)");
  auto* folder = command->add_option(
      "--files", options.folder,
      "The other server's folder, which has received_files or the like in it; without it the "
      "database's folder");
  command->add_flag("--dry-run", options.dry_run,
                    "Only show what would be done; also beside a running daemon");
  command->add_option("--report", options.report, "Write the report as JSON into this file");
  add_common(*command, chosen.common);
  command->callback([&chosen, database, folder] {
    if (database->empty() && folder->empty())
      throw CLI::RequiredError("one of --db and --files", CLI::ExitCodes::RequiredError);
    chosen.command = [&] { return run_legacy_import(chosen.import_options()); };
  });
}

void add_report(CLI::App& legacy, Chosen& chosen) {
  CLI::App* command =
      add(legacy, "report", "Print who still speaks protocol 3, and who would miss it",
          "cyberbackupd legacy report --since 30d --config FILE");
  LegacyReportOptions& options = chosen.legacy_report;
  command->add_option("--since", options.since, "Who came within this time would miss it")
      ->capture_default_str();
  add_common(*command, chosen.common);
  command->add_flag("--metrics", options.metrics, "Print metrics in the text format of Prometheus")
      ->excludes("--json");
  command->callback([&] {
    chosen.command = [&] { return run_legacy_report(chosen.with_common(chosen.legacy_report)); };
  });
}

void add_ratchet(CLI::App& legacy, Chosen& chosen) {
  CLI::App* command = add(legacy, "ratchet",
                          "Show for whom protocol 4 has ended protocol 3; let it in again, or not",
                          "cyberbackupd legacy ratchet --lift alice --for 7d");
  LegacyRatchetOptions& options = chosen.ratchet;
  auto* show = command->add_option("NAME", options.show, "Show only this client");
  auto* lift = command->add_option("--lift", options.lift,
                                   "Serve protocol 3 to this client again for a while");
  lift->excludes(show);
  command->add_option("--for", options.life, "For how long")->capture_default_str()->needs(lift);
  command->add_option("--close", options.close, "Serve protocol 3 to this client no more")
      ->excludes(show)
      ->excludes(lift);
  add_common(*command, chosen.common);
  command->callback([&] {
    chosen.command = [&] { return run_legacy_ratchet(chosen.with_common(chosen.ratchet)); };
  });
}

void add_allow(CLI::App& legacy, Chosen& chosen) {
  CLI::App* command = add(legacy, "allow", "Let a client migrate to protocol 4 without a token",
                          "cyberbackupd legacy allow alice --expires 7d");
  LegacyAllowOptions& options = chosen.allow;
  auto* name = command->add_option("NAME", options.name, "The client");
  command->add_option("--expires", options.expires, "For how long")->capture_default_str();
  command->add_option("--revoke", options.revoke, "Let this client do so no more")->excludes(name);
  add_common(*command, chosen.common);
  command->callback([&] {
    if (chosen.allow.name.empty() && chosen.allow.revoke.empty()) throw CLI::RequiredError("NAME");
    chosen.command = [&] { return run_legacy_allow(chosen.with_common(chosen.allow)); };
  });
}

}  // namespace

void add_legacy(CLI::App& app, Chosen& chosen) {
  CLI::App* legacy =
      add(app, "legacy", "Clients of protocol 3: their files, and their way to protocol 4",
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
  add_import(*legacy, chosen);
  add_report(*legacy, chosen);
  add_ratchet(*legacy, chosen);
  add_allow(*legacy, chosen);
}

}  // namespace cb::host
