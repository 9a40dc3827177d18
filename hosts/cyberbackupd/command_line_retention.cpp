// SPDX-License-Identifier: Apache-2.0
//
// Commands about rules of retention, pins, and requests that wait for a person.
#include "command_line.h"

namespace cb::host {
namespace {

CLI::App* add_of_account(CLI::App& to, Chosen& chosen, const std::string& name,
                         const std::string& what, const std::string& more) {
  CLI::App* command =
      add(to, name, what, "cyberbackupd retention " + name + " --account alice" + more);
  command->add_option("--account", chosen.retention.account, "The account")->required();
  add_common(*command, chosen.common);
  return command;
}

void add_pins(CLI::App& retention, Chosen& chosen) {
  CLI::App* pin = add_of_account(retention, chosen, "pin", "Keep a snapshot whatever the rules say",
                                 " 0a1b2c3d --until 2027-12-31 --reason audit");
  pin->add_option("SNAPSHOT", chosen.retention.snapshot, "Its id, or the begin of it")->required();
  pin->add_option("--until", chosen.retention.until,
                  "A date, or a length of time as 90d; without it for good");
  pin->add_option("--reason", chosen.retention.reason, "Shown with it");
  pin->callback([&] {
    chosen.command = [&] { return run_retention_pin(chosen.with_common(chosen.retention), true); };
  });
  CLI::App* unpin =
      add_of_account(retention, chosen, "unpin", "Let the rules decide again", " 0a1b2c3d");
  unpin->add_option("SNAPSHOT", chosen.retention.snapshot, "Its id, or the begin of it")
      ->required();
  unpin->callback([&] {
    chosen.command = [&] { return run_retention_pin(chosen.with_common(chosen.retention), false); };
  });
}

}  // namespace

void add_retention(CLI::App& app, Chosen& chosen) {
  CLI::App* retention = add(app, "retention", "Which snapshots are kept, and for how long",
                            "cyberbackupd retention show --account alice");
  retention->require_subcommand(1);
  add_of_account(*retention, chosen, "show", "Print rules, sources and pinned snapshots", "")
      ->callback([&] {
        chosen.command = [&] { return run_retention_show(chosen.with_common(chosen.retention)); };
      });
  CLI::App* set = add_of_account(*retention, chosen, "set",
                                 "Set all rules of an account, or of one source of it",
                                 " --keep-daily 7 --keep-weekly 5 --keep-monthly 12");
  set->add_option("--source", chosen.retention.source,
                  "Only for this source: the begin of its name in `retention show`, or "
                  "DEVICE/SOURCE");
  add_rule_options(*set, chosen.retention.rules, "--keep-tag-hash");
  set->callback([&] {
    chosen.command = [&] { return run_retention_set(chosen.with_common(chosen.retention)); };
  });
  add_pins(*retention, chosen);
  CLI::App* plan =
      add(*retention, "plan", "Print every snapshot, what the next run does with it, and why",
          "cyberbackupd retention plan --account alice");
  plan->add_option("--account", chosen.retention.account, "Only this account");
  add_common(*plan, chosen.common);
  plan->callback([&] {
    chosen.command = [&] { return run_retention_plan(chosen.with_common(chosen.retention)); };
  });
}

void add_requests(CLI::App& app, Chosen& chosen) {
  const auto all =
      app.get_subcommands([](const CLI::App* one) { return one->get_name() == "job"; });
  CLI::App* job = all.empty() ? add(app, "job", "What the server does by itself",
                                    "cyberbackupd job requests --config FILE")
                              : all.front();
  job->require_subcommand(1);
  CLI::App* requests =
      add(*job, "requests", "Print what waits for an approval", "cyberbackupd job requests");
  add_common(*requests, chosen.common);
  requests->callback([&] { chosen.command = [&] { return run_requests(chosen.common); }; });
  CLI::App* approve = add(*job, "approve", "Let something be done that was asked first",
                          "cyberbackupd job approve 3");
  approve->add_option("REQUEST", chosen.retention.request, "Its number in `job requests`")
      ->required();
  add_common(*approve, chosen.common);
  approve->callback(
      [&] { chosen.command = [&] { return run_approve(chosen.with_common(chosen.retention)); }; });
}

}  // namespace cb::host
