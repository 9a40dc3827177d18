// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup login`: a person with the account's password and a passphrase of the repository gets
// a device without an owner at hand.
#include "core/repository/device_name.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/newcomer.h"
#include "hosts/cyberbackup/passphrase.h"
#include "hosts/cyberbackup/unlock.h"

namespace cb {
namespace {

using client::PersonRemote;
using repository::Role;

constexpr const char* kLoginExample =
    "Example:\n"
    "  cyberbackup login --account ann --server backup.example:1257 --pin 5f3c...\n"
    "\n"
    "The operator sets the account's password (cyberbackupd account password) and tells the pin\n"
    "(cyberbackupd init printed it). It asks for that password, and for the passphrase or the "
    "recovery code\n"
    "of the backups, which the server does not know. When it was interrupted, run it again.";

struct Wish {
  std::string account;
  std::vector<std::string> servers;
  std::string pin;
  std::string role = "owner";
  std::string name;
  std::string password_file;
  std::string new_passphrase_file;
};

Result<Secret> password_of(const Wish& wish) {
  if (!wish.password_file.empty()) return passphrase_of_file(wish.password_file);
  return ask_terminal("Password of account " + wish.account + ": ");
}

Status check(const client::EnrolmentParts& parts, const Wish& wish) {
  const auto pin = from_hex(wish.pin);
  if (!pin || pin->size() != 32)
    return failed(Code::invalid, "--pin", "is not 64 hex digits",
                  "see what `cyberbackupd init` printed");
  for (const std::string& server : wish.servers) CB_TRY(client::parse_server(server));
  if (!wish.name.empty()) CB_TRY(repository::check_device_name(wish.name));
  if (!client::has_profile(*parts.files, parts.folder)) return {};
  return failed(Code::exists, "profile " + parts.folder.filename().string(), "is enrolled already",
                "choose another name with --profile, or remove " + parts.folder.string());
}

Result<std::unique_ptr<PersonRemote>> reach(Workplace& place, const Wish& wish,
                                            const Secret& password) {
  return try_servers<std::unique_ptr<PersonRemote>>(
      place, {wish.servers, wish.pin},
      [&](const stream::Stack&,
          const stream::Target& target) -> Result<std::unique_ptr<PersonRemote>> {
        CB_ASSIGN(stream::Stack stack, place.stack(wish.pin));
        return PersonRemote::open(
            {std::move(stack), target, wish.account, password.clone(), client::V4Limits()});
      });
}

// With what opens the backups, the root key certifies a device.
Result<client::Joining> prepare(const CommonOptions& options, const Workplace& place,
                                const Wish& wish, const PersonRemote& person) {
  CB_ASSIGN(const Role role, client::role_of(wish.role));
  CB_ASSIGN(const OwnerKeys keys, open_owner_slots(options, place.suite(), person.record(),
                                                   person.slots(), "Passphrase of the backups: "));
  Secret passphrase;
  if (role == Role::reader && wish.new_passphrase_file.empty()) {
    CB_ASSIGN(passphrase, ask_terminal("New passphrase for this device: ", true));
  } else if (role == Role::reader) {
    CB_ASSIGN(passphrase, passphrase_of_file(wish.new_passphrase_file));
  }
  const client::PersonLogin login{
      {wish.servers, wish.pin},  wish.account, person.record(), keys.keyring, role, wish.name,
      as_text(passphrase.view())};
  return client::begin_login(enrolment_parts(place), login);
}

tl::unexpected<Failure> here(Error error) { return tl::unexpected<Failure>({std::move(error)}); }
tl::unexpected<Failure> there(Error error) {
  const bool dialled = error.code != Code::busy;
  return tl::unexpected<Failure>({std::move(error), dialled});
}

Newcoming run_login(const CommonOptions& options, const Wish& wish) {
  const auto place = Workplace::open(options);
  if (!place) return here(place.error());
  const client::EnrolmentParts parts = enrolment_parts(**place);
  if (Status fits = check(parts, wish); !fits) return here(std::move(fits).error());
  const auto password = password_of(wish);
  if (!password) return here(password.error());
  const auto person = reach(**place, wish, *password);
  if (!person) return there(person.error());
  const auto joining = prepare(options, **place, wish, **person);
  if (!joining) return here(joining.error());
  const auto welcome = (*person)->add_device(joining->device);
  if (!welcome) return there(welcome.error());
  // First whose commits count: a profile without that would take any server's.
  Status done = remember_server(**place, joining->profile.repository, *welcome);
  if (done) done = client::accept_join(parts, *joining);
  if (done) done = tell_joined(options, *joining);
  if (!done) return here(std::move(done).error());
  return {};
}

void add_options(CLI::App& command, Wish& wish) {
  command.add_option("--account", wish.account, "Name of the account")->required();
  command.add_option("--server", wish.servers, "HOST:PORT of the server; may be repeated")
      ->required()
      ->allow_extra_args(false);
  command.add_option("--pin", wish.pin, "SHA-256 of the server's public key, 64 hex digits")
      ->required();
  command.add_option("--role", wish.role, "What this device may do")
      ->check(CLI::IsMember({"owner", "writer", "reader"}))
      ->capture_default_str();
  command.add_option("--name", wish.name, "How the owners see this device");
  command.add_option("--password-file", wish.password_file,
                     "File with the account's password, instead of the terminal");
  command.add_option("--new-passphrase-file", wish.new_passphrase_file,
                     "For a reader: file with the passphrase of this device");
}

}  // namespace

void add_login_command(CLI::App& app, CommonOptions& options, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("login", "Make this a device of an account, with its password");
  command->footer(kLoginExample);
  const auto wish = std::make_shared<Wish>();
  add_options(*command, *wish);
  command->callback([&options, &exit_code, wish] {
    const auto done = run_login(options, *wish);
    if (!done) exit_code = report_failure(options, done.error().error, done.error().dialled);
  });
}

}  // namespace cb
