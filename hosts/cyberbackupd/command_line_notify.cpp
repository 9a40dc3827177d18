// SPDX-License-Identifier: Apache-2.0
//
// Commands about notifications and drills.
#include "command_line.h"

namespace cb::host {

void add_drills(CLI::App& app, Chosen& chosen) {
  CLI::App* drill = add(app, "drill", "What devices said of restores that they tried",
                        "cyberbackupd drill list --config FILE");
  drill->require_subcommand(1);
  CLI::App* list = add(*drill, "list", "Print the newest drill of each device",
                       "cyberbackupd drill list --account alice");
  list->add_option("--account", chosen.account.name, "Only this account");
  add_common(*list, chosen.common);
  list->callback(
      [&] { chosen.command = [&] { return run_drill_list(chosen.account_options()); }; });
}

void add_notifications(CLI::App& app, Chosen& chosen) {
  CLI::App* notify = add(app, "notify", "Where the daemon tells what happened",
                         "cyberbackupd notify list --config FILE");
  notify->require_subcommand(1);
  CLI::App* list = add(*notify, "list", "Print the targets of [[notify]], and how they fare",
                       "cyberbackupd notify list");
  add_common(*list, chosen.common);
  list->callback(
      [&] { chosen.command = [&] { return run_notify_list(chosen.with_common(chosen.notify)); }; });
  CLI::App* test =
      add(*notify, "test", "Send something to a target, or to all, and say what came of it",
          "cyberbackupd notify test admins");
  test->add_option("NAME", chosen.notify.name, "Only this target");
  add_common(*test, chosen.common);
  test->callback(
      [&] { chosen.command = [&] { return run_notify_test(chosen.with_common(chosen.notify)); }; });
}

}  // namespace cb::host
