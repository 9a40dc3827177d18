// SPDX-License-Identifier: Apache-2.0
//
// Commands about traffic rules, and about the mode of the store.
#include "command_line.h"

namespace cb::host {
namespace {

void add_traffic_pause(CLI::App& to, Chosen& chosen, const std::string& parent) {
  CLI::App* pause =
      add(to, "pause", "Let all traffic rules rest", "cyberbackupd " + parent + " pause --for 2h");
  auto* length = pause->add_option("--for", chosen.traffic.length, "So long, as 2h");
  pause->add_option("--until", chosen.traffic.until, "Until then, as 2026-03-01T18:00:00Z")
      ->excludes(length);
  add_common(*pause, chosen.common);
  pause->callback([&] {
    chosen.command = [&] { return run_traffic_pause(chosen.with_common(chosen.traffic)); };
  });
  CLI::App* resume =
      add(to, "resume", "Let the traffic rules hold again", "cyberbackupd " + parent + " resume");
  add_common(*resume, chosen.common);
  resume->callback([&] { chosen.command = [&] { return run_traffic_resume(chosen.common); }; });
}

void add_traffic_show(CLI::App& to, Chosen& chosen, const std::string& name,
                      const std::string& example) {
  CLI::App* show = add(to, name, "Print the traffic rules, and how much each lets go", example);
  add_common(*show, chosen.common);
  show->callback([&] { chosen.command = [&] { return run_traffic_show(chosen.common); }; });
}

void add_traffic_set(CLI::App& to, Chosen& chosen) {
  CLI::App* set = add(to, "set", "Give a rule another rate, until the daemon starts or reloads",
                      "cyberbackupd traffic set office --rate 2MiB");
  set->add_option("RULE", chosen.traffic.rule, "Its name")->required();
  set->add_option("--rate", chosen.traffic.rate, "Bytes a second")->required();
  set->add_option("--burst", chosen.traffic.burst, "Bytes at once after a rest [one second's]");
  add_common(*set, chosen.common);
  set->callback([&] {
    chosen.command = [&] { return run_traffic_set(chosen.with_common(chosen.traffic)); };
  });
}

// A command that may be there already, because another file declares parts of it, too.
CLI::App& traffic_parent(CLI::App& app, const std::string& name, const std::string& what,
                         const std::string& example) {
  const auto all =
      app.get_subcommands([&](const CLI::App* one) { return one->get_name() == name; });
  CLI::App* command = all.empty() ? add(app, name, what, example) : all.front();
  command->require_subcommand(1);
  return *command;
}

}  // namespace

void add_traffic(CLI::App& app, Chosen& chosen) {
  CLI::App& traffic = traffic_parent(app, "traffic", "How many bytes a second come and go",
                                     "cyberbackupd traffic show --config FILE");
  add_traffic_show(traffic, chosen, "show", "cyberbackupd traffic show");
  add_traffic_set(traffic, chosen);
  add_traffic_pause(traffic, chosen, "traffic");
  CLI::App& limits = traffic_parent(app, "limits", "What one client or all of them may take",
                                    "cyberbackupd limits traffic --config FILE");
  add_traffic_show(limits, chosen, "traffic", "cyberbackupd limits traffic");
  add_traffic_pause(limits, chosen, "limits");
}

void add_store(CLI::App& app, Chosen& chosen) {
  CLI::App* store = add(app, "store", "The store of the server",
                        "cyberbackupd store mode read-only --config FILE");
  store->require_subcommand(1);
  CLI::App* mode = add(*store, "mode",
                       "Print, or set, how much of the store is served: normal; read-only, "
                       "restores alone; offline, nothing",
                       "cyberbackupd store mode read-only --drain 30m --wait\n"
                       "  cyberbackupd store mode normal");
  mode->add_option("MODE", chosen.store.mode, "It stays so over restarts")
      ->check(CLI::IsMember({"normal", "read-only", "offline"}));
  mode->add_option("--drain", chosen.store.drain,
                   "How long backups under way may go on [store.drain]");
  mode->add_flag("--wait", chosen.store.wait, "End when nothing is under way any more");
  add_common(*mode, chosen.common);
  mode->callback(
      [&] { chosen.command = [&] { return run_store_mode(chosen.with_common(chosen.store)); }; });
}

}  // namespace cb::host
