// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup device`: who is of the account, and who may come in.
#include <algorithm>
#include <cstdio>

#include "core/base/units.h"
#include "core/client/inviting.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/device_changes.h"
#include "hosts/cyberbackup/device_listing.h"
#include "hosts/cyberbackup/owner_tools.h"
#include "hosts/cyberbackup/passphrase.h"
#include "hosts/cyberbackup/snapshot_listing.h"
#include "hosts/cyberbackup/unlock.h"

namespace cb {
namespace {

constexpr const char* kDeviceExample =
    "Examples:\n"
    "  cyberbackup device invite --role writer --name laptop\n"
    "  cyberbackup device invite --role reader --expires 1h\n"
    "  cyberbackup device list\n"
    "  cyberbackup device disable 3f1c        until `device enable 3f1c`\n"
    "  cyberbackup device revoke 3f1c         for good; rotates the keys, too\n"
    "  cyberbackup device uninvite 77aa       an invite that nobody has used\n"
    "\n"
    "owner: does everything. writer: backs up and can read nothing, not even its own backups.\n"
    "reader: restores and cannot back up. Only owners invite, disable and revoke.";
constexpr const char* kInviteExample =
    "Examples:\n"
    "  cyberbackup device invite --role writer\n"
    "  cyberbackup device invite --role writer --share-dedup --name laptop\n"
    "\n"
    "Prints one line, which the new device is given: cyberbackup enroll - reads it. It works once\n"
    "and carries the keys of the role, so send it by a way that nobody else reads. Writers do not\n"
    "lean on what other writers uploaded, unless they are invited with --share-dedup: then a\n"
    "writer that cheats can spoil what the others of them back up, until `check` finds it.";

struct InviteOptions {
  std::string role;
  bool share_dedup = false;
  std::string expires = "24h";
  std::string name;
};

std::string expiry_of(const repository::Invite& invite) { return local_time(invite.expires_ns); }

Status tell_invite(const CommonOptions& options, const client::MadeInvite& made) {
  const repository::Invite& invite = made.invite;
  const std::string role = client::name_of(invite.role);
  if (options.json)
    return write_done({{"invite", made.text},
                       {"id", invite.id.hex()},
                       {"role", role},
                       {"expires", utc_time(invite.expires_ns)}});
  if (!options.quiet)
    std::fprintf(stderr,
                 "Invite %s for one %s, until %s. On the new device: cyberbackup enroll -\n"
                 "Whoever has this line gets the keys of a %s.\n",
                 invite.id.hex().substr(0, 12).c_str(), role.c_str(), expiry_of(invite).c_str(),
                 role.c_str());
  return write_out(made.text + "\n");
}

Status invite(const CommonOptions& options, const InviteOptions& wanted) {
  client::InviteWish wish;
  CB_ASSIGN(wish.role, client::role_of(wanted.role));
  CB_ASSIGN(wish.valid, parse_duration(wanted.expires));
  wish.shares_dedup = wanted.share_dedup;
  wish.name = wanted.name;
  if (!wish.name.empty()) CB_TRY(repository::check_device_name(wish.name));
  CB_ASSIGN(const Connected connected, connect_profile(options));
  CB_ASSIGN(const client::Unlocked unlocked,
            unlock_owner(*connected.place, *connected.session, "invite devices"));
  const client::InviteParts parts{connected.place->suite().crypto, &os::system_random(),
                                  &os::system_clock()};
  CB_ASSIGN(const client::MadeInvite made,
            client::make_invite(parts, connected.place->profile(), unlocked.keyring, wish));
  CB_TRY(connected.session->add_invite(made.record));
  return tell_invite(options, made);
}

// Reads the names when that was asked for, or when nobody has to type a passphrase for it.
Status read_names(const Connected& connected, bool asked, std::vector<DeviceView>& devices) {
  const bool at_hand = connected.place->profile().role == repository::Role::owner &&
                       has_written_passphrase(connected.place->common_options()) &&
                       std::any_of(devices.begin(), devices.end(),
                                   [](const DeviceView& device) { return device.unread_name; });
  if (!asked && !at_hand) return {};
  CB_ASSIGN(const client::Unlocked unlocked,
            unlock_owner(*connected.place, *connected.session, "see the names of devices"));
  CB_ASSIGN(const auto names, names_of(*connected.place, unlocked.keyring));
  for (DeviceView& device : devices) read_name(device, names);
  return {};
}

// How those names are seen that the list does not show.
void tell_unread(const Connected& connected, const std::vector<DeviceView>& devices) {
  const CommonOptions& options = connected.place->common_options();
  const bool all_read = std::none_of(devices.begin(), devices.end(),
                                     [](const DeviceView& device) { return device.unread_name; });
  if (options.quiet || options.json || all_read) return;
  const bool owner = connected.place->profile().role == repository::Role::owner;
  std::fprintf(stderr, "%s\n",
               owner ? "note: names are encrypted: `cyberbackup device list --names` asks for the "
                       "passphrase and shows them"
                     : "note: names are encrypted: only an owner's device shows them");
}

Status list(const CommonOptions& options, bool with_names) {
  CB_ASSIGN(const Connected connected, connect_profile(options));
  CB_ASSIGN(const repository::DeviceList found, connected.session->devices());
  CB_ASSIGN(const repository::RepositoryRecord record, connected.session->record());
  auto views = views_of(*connected.place, record, found);
  CB_TRY(read_names(connected, with_names, views));
  tell_unread(connected, views);
  const int64_t now = os::system_clock().wall().count();
  if (!options.json) return write_out(table_of(views, found.invites, now));
  report::Json devices = report::Json::array();
  for (const DeviceView& view : views) devices.push_back(json_of(view));
  report::Json invites = report::Json::array();
  for (const repository::InviteEntry& entry : found.invites) invites.push_back(json_of(entry, now));
  return write_done({{"devices", devices}, {"invites", invites}});
}

using Act = std::function<Status()>;
void act_on_devices(const CommonOptions& options, int& exit_code, const Act& act) {
  const Status done = act();
  if (!done) exit_code = report_failure(options, done.error());
}

void add_invite(CLI::App& command, CommonOptions& options, int& exit_code) {
  CLI::App* invite_command = command.add_subcommand("invite", "Let one more device come in");
  invite_command->footer(kInviteExample);
  const auto wanted = std::make_shared<InviteOptions>();
  invite_command->add_option("--role", wanted->role, "What the device may do")
      ->required()
      ->check(CLI::IsMember({"owner", "writer", "reader"}));
  invite_command->add_flag("--share-dedup", wanted->share_dedup,
                           "A writer that shares uploads with others invited so");
  invite_command->add_option("--expires", wanted->expires, "How long the invite is good")
      ->capture_default_str();
  invite_command->add_option("--name", wanted->name, "How the owners see the device");
  invite_command->callback([&options, &exit_code, wanted] {
    act_on_devices(options, exit_code, [&] { return invite(options, *wanted); });
  });
}

void add_list(CLI::App& command, CommonOptions& options, int& exit_code) {
  CLI::App* list_command = command.add_subcommand("list", "Show devices and invites");
  list_command->footer(
      "Examples:\n  cyberbackup device list --names\n  cyberbackup device list --json\n\n"
      "A star marks this device. Names are encrypted: an owner's passphrase or recovery code "
      "shows\n"
      "them, so they are there with --names, or when the passphrase need not be typed; else there\n"
      "is a dash.");
  const auto names = std::make_shared<bool>(false);
  list_command->add_flag("--names", *names, "Ask for the passphrase, and show the names");
  list_command->callback([&options, &exit_code, names] {
    act_on_devices(options, exit_code, [&] { return list(options, *names); });
  });
}

void add_change(CLI::App& command, CommonOptions& options, int& exit_code,
                const DeviceChange& change) {
  CLI::App* sub = command.add_subcommand(change.name, change.help);
  sub->footer(change.example);
  const auto wanted = std::make_shared<ChangeOptions>();
  sub->add_option("ID", wanted->id, "Id as `device list` shows it, or how it begins")->required();
  if (change.rotates)
    sub->add_flag("--no-rotate", wanted->no_rotate,
                  "Keep the keys: who had them can read what is backed up later");
  sub->callback([&options, &exit_code, wanted, act = change.act] {
    act_on_devices(options, exit_code, [&] { return act(options, *wanted); });
  });
}

}  // namespace

void add_device_command(CLI::App& app, CommonOptions& options, int& exit_code) {
  CLI::App* command = app.add_subcommand("device", "Devices of the account, and invites");
  command->require_subcommand(1);
  command->footer(kDeviceExample);
  add_invite(*command, options, exit_code);
  add_list(*command, options, exit_code);
  for (const DeviceChange& change : device_changes())
    add_change(*command, options, exit_code, change);
}

}  // namespace cb
