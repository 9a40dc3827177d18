// SPDX-License-Identifier: Apache-2.0
//
// Commands about copies of repositories on other servers, and of other servers'.
#include "command_line.h"

namespace cb::host {
namespace {

void add_replica_source(CLI::App& replica, Chosen& chosen) {
  ReplicaOptions& options = chosen.replica;
  CLI::App* command = add(replica, "add", "Copy repositories from another server from now on",
                          "cyberbackupd replica add home --token-file token.txt\n"
                          "  cyberbackupd replica add home --source home.example:1257 "
                          "--token-file - --account alice");
  command->add_option("NAME", options.name, "What this server calls the source")->required();
  command
      ->add_option("--source", options.servers,
                   "HOST:PORT where it is reached, instead of what the token says")
      ->allow_extra_args(false);
  auto* token = command->add_option("--token", options.token,
                                    "The token; who lists this machine's processes can read it");
  auto* file = command->add_option("--token-file", options.token_file,
                                   "File with the token; - for standard input");
  token->excludes(file);
  command->add_option("--account", options.accounts, "Only this account; may be given again")
      ->allow_extra_args(false);
  command->add_flag("--remove-vanished", options.remove_vanished,
                    "Remove here what the source removed");
  command->add_flag("--heal-only", options.heal_only,
                    "Only fetch what was found damaged here, and copy nothing");
  add_common(*command, chosen.common);
  command->callback([&chosen] {
    if (chosen.replica.token.empty() && chosen.replica.token_file.empty())
      throw CLI::RequiredError("--token-file or --token");
    chosen.command = [&chosen] { return run_replica_add(chosen.with_common(chosen.replica)); };
  });
}

}  // namespace

void add_replicas(CLI::App& app, Chosen& chosen) {
  CLI::App* replica = add(app, "replica", "Copies of repositories between servers",
                          "cyberbackupd replica list --config FILE");
  replica->require_subcommand(1);
  add_replica_source(*replica, chosen);
  CLI::App* list = add(*replica, "list", "Print what is copied to here, and who copies from here",
                       "cyberbackupd replica list");
  add_common(*list, chosen.common);
  list->callback([&chosen] {
    chosen.command = [&chosen] { return run_replica_list(chosen.with_common(chosen.replica)); };
  });
  CLI::App* remove = add(*replica, "remove", "End copying from a source, or by a replica",
                         "cyberbackupd replica remove home");
  remove->add_option("NAME", chosen.replica.name, "As `replica list` names it")->required();
  add_common(*remove, chosen.common);
  remove->callback([&chosen] {
    chosen.command = [&chosen] { return run_replica_remove(chosen.with_common(chosen.replica)); };
  });
}

}  // namespace cb::host
