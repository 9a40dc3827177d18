// SPDX-License-Identifier: Apache-2.0
//
// Commands about accounts, their devices and tokens.
#include "command_line.h"

namespace cb::host {
namespace {

// A command of `to` that takes an account's name.
CLI::App* add_named(CLI::App& to, Chosen& chosen, const std::string& name,
                    const std::string& what) {
  CLI::App* command = add(to, name, what, "cyberbackupd account " + name + " alice");
  command->add_option("NAME", chosen.account.name, "The account")->required();
  add_common(*command, chosen.common);
  return command;
}

void add_password(CLI::App& account, Chosen& chosen) {
  CLI::App* password = add_named(account, chosen, "password",
                                 "Set the password with which a person logs in without a device");
  auto* file = password->add_option("--password-file", chosen.account.password_file,
                                    "File with the password, instead of the terminal");
  password->add_flag("--remove", chosen.account.remove, "Let nobody in with a password")
      ->excludes(file);
  password->callback(
      [&] { chosen.command = [&] { return run_account_password(chosen.account_options()); }; });
}

void add_mode(CLI::App& account, Chosen& chosen) {
  CLI::App* mode = add(account, "mode",
                       "Print, or set, which protocol versions a client of protocol 3 may speak",
                       "cyberbackupd account mode old-laptop secure");
  mode->add_option("NAME", chosen.account.name, "The client, or its account v3/ID")->required();
  auto* word = mode->add_option("MODE", chosen.account.mode,
                                "legacy: 3 for good; compat: 3 until it speaks 4; secure: only 4");
  word->check(CLI::IsMember({"legacy", "compat", "secure"}));
  mode->add_option("--min-version", chosen.account.min_version, "The least that it may speak")
      ->check(CLI::IsMember({3, 4}));
  mode->add_option("--ratchet", chosen.account.ratchet,
                   "Whether its first login of protocol 4 ends protocol 3 for it")
      ->check(CLI::IsMember({"on", "off"}));
  add_common(*mode, chosen.common);
  mode->callback(
      [&] { chosen.command = [&] { return run_account_mode(chosen.account_options()); }; });
}

}  // namespace

void add_accounts(CLI::App& app, Chosen& chosen) {
  CLI::App* account =
      add(app, "account", "Accounts of protocol 4", "cyberbackupd account add alice");
  account->require_subcommand(1);
  add_named(*account, chosen, "add", "Add an account")->callback([&] {
    chosen.command = [&] { return run_account_add(chosen.account_options()); };
  });
  CLI::App* list = add(*account, "list", "Print all accounts", "cyberbackupd account list");
  add_common(*list, chosen.common);
  list->callback(
      [&] { chosen.command = [&] { return run_account_list(chosen.account_options()); }; });
  add_named(*account, chosen, "show", "Print one account with its devices")->callback([&] {
    chosen.command = [&] { return run_account_show(chosen.account_options()); };
  });
  add_named(*account, chosen, "disable", "Let nobody of an account in")->callback([&] {
    chosen.command = [&] { return run_account_enable(chosen.account_options(), false); };
  });
  add_named(*account, chosen, "enable", "Let an account in again")->callback([&] {
    chosen.command = [&] { return run_account_enable(chosen.account_options(), true); };
  });
  add_password(*account, chosen);
  add_mode(*account, chosen);
}

void add_devices(CLI::App& app, Chosen& chosen) {
  CLI::App* device = add(app, "device", "Devices of the accounts of protocol 4",
                         "cyberbackupd device list --account alice");
  device->require_subcommand(1);
  CLI::App* list = add(*device, "list", "Print an account's devices",
                       "cyberbackupd device list --account alice");
  list->add_option("--account", chosen.account.name, "The account")->required();
  add_common(*list, chosen.common);
  list->callback(
      [&] { chosen.command = [&] { return run_device_list(chosen.account_options()); }; });
  const auto change = [&](const std::string& name, const std::string& what) {
    CLI::App* command = add(*device, name, what, "cyberbackupd device " + name + " ID");
    command->add_option("ID", chosen.account.device, "The device, as `device list` names it")
        ->required();
    add_common(*command, chosen.common);
    command->callback([&chosen, name] {
      chosen.command = [&chosen, name] {
        return run_device_change(chosen.account_options(), name);
      };
    });
  };
  change("disable", "Let a device in no more, until it is enabled; its sessions end");
  change("enable", "Let a device in again");
  change("revoke", "Let a device in never again; its sessions end");
}

void add_token(CLI::App& app, Chosen& chosen) {
  CLI::App* token = add(app, "token", "Tokens for the first owner of an account, or a replica",
                        "cyberbackupd token create --account alice");
  token->require_subcommand(1);
  CLI::App* create = add(*token, "create", "Print a new token, alone on its line",
                         "cyberbackupd token create --account alice --expires 2h\n"
                         "  cyberbackupd token create --replica off-site --account alice");
  auto* account = create->add_option("--account", chosen.replica.accounts,
                                     "The account; for a replica, may be given again");
  account->allow_extra_args(false);
  auto* legacy = create->add_option("--legacy", chosen.account.legacy,
                                    "A client of protocol 3, which can then migrate");
  legacy->excludes(account);
  create
      ->add_option("--replica", chosen.replica.name,
                   "Another server, called so, which can then copy these accounts, or all")
      ->excludes(legacy);
  create->add_option("--expires", chosen.account.expires, "How long it is good")
      ->capture_default_str();
  add_common(*create, chosen.common);
  create->callback([&] {
    const std::vector<std::string>& accounts = chosen.replica.accounts;
    if (!chosen.replica.name.empty()) {
      chosen.command = [&] { return run_replica_token(chosen.with_common(chosen.replica)); };
      return;
    }
    if (accounts.empty() && chosen.account.legacy.empty())
      throw CLI::RequiredError("--account, --legacy or --replica");
    if (accounts.size() > 1) throw CLI::ArgumentMismatch("--account: only one, but for --replica");
    if (!accounts.empty()) chosen.account.name = accounts.front();
    chosen.command = [&] { return run_token_create(chosen.account_options()); };
  });
}

}  // namespace cb::host
