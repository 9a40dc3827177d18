// SPDX-License-Identifier: Apache-2.0
//
// Commands about sources that are watched.
#include "command_line.h"

namespace cb::host {
namespace {

constexpr const char* kSourceHelp =
    "Only this source: the begin of its name in `watch list`, or DEVICE/SOURCE";

void add_watch_list(CLI::App& watch, Chosen& chosen) {
  CLI::App* list =
      add(watch, "list", "Print all sources: the last backup, when the next is expected, the score",
          "cyberbackupd watch list --account alice");
  list->add_option("--account", chosen.watch.account, "Only this account");
  add_common(*list, chosen.common);
  list->callback(
      [&] { chosen.command = [&] { return run_watch_list(chosen.with_common(chosen.watch)); }; });
}

void add_watch_release(CLI::App& watch, Chosen& chosen) {
  CLI::App* release = add(watch, "release", "Let snapshots of a frozen source be removed again",
                          "cyberbackupd watch release --account alice --source 0a1b2c3d");
  release->add_option("--account", chosen.watch.account, "The account")->required();
  release->add_option("--source", chosen.watch.source, kSourceHelp);
  add_common(*release, chosen.common);
  release->callback([&] {
    chosen.command = [&] { return run_watch_release(chosen.with_common(chosen.watch)); };
  });
}

void add_watch_set(CLI::App& watch, Chosen& chosen) {
  CLI::App* set = add(watch, "set", "Say when backups are expected, in place of the history",
                      "cyberbackupd watch set --account alice --expect 1d --tolerance 6h\n"
                      "  cyberbackupd watch set --account alice --source 0a1b2c3d none");
  set->add_option("WHAT", chosen.watch.what,
                  "none: it is never missed; history: its history counts again")
      ->check(CLI::IsMember({"none", "history"}));
  set->add_option("--account", chosen.watch.account, "The account")->required();
  set->add_option("--source", chosen.watch.source, kSourceHelp);
  set->add_option("--expect", chosen.watch.expect, "How long after the last one, as 1d");
  set->add_option("--tolerance", chosen.watch.tolerance,
                  "How much later it is overdue, as 6h; without it a quarter");
  add_common(*set, chosen.common);
  set->callback(
      [&] { chosen.command = [&] { return run_watch_set(chosen.with_common(chosen.watch)); }; });
}

}  // namespace

void add_watch(CLI::App& app, Chosen& chosen) {
  CLI::App* watch =
      add(app, "watch", "Backups that do not come, and such as look as if data was spoilt",
          "cyberbackupd watch list");
  watch->require_subcommand(1);
  add_watch_list(*watch, chosen);
  add_watch_release(*watch, chosen);
  add_watch_set(*watch, chosen);
}

}  // namespace cb::host
