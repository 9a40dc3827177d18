// SPDX-License-Identifier: Apache-2.0
#include "hosts/cyberbackup/newcomer.h"

#include <cstdio>

#include "core/report/json.h"
#include "hosts/cyberbackup/passphrase.h"
#include "hosts/cyberbackup/reading.h"

namespace cb {
namespace {

using client::Joining;
using repository::Role;

std::string next_step(const CommonOptions& options, Role role) {
  const std::string profile =
      options.profile == "default" ? std::string() : " --profile " + options.profile;
  const std::string command = role == Role::reader ? " snapshots" : " backup FOLDER";
  return "\nNext: cyberbackup" + profile + command + "\n";
}

std::string meaning_of(Role role) {
  switch (role) {
    case Role::owner:
      return "It may do everything. The passphrase that you chose opens the backups.\n";
    case Role::writer:
      return "It backs up without a passphrase, and can read nothing: restore on an owner's or a\n"
             "reader's device.\n";
    case Role::reader:
      return "It restores with the passphrase that you chose, which opens nothing elsewhere; it\n"
             "cannot back up. When the passphrase is lost, ask an owner for another invite.\n";
  }
  return {};
}

Result<client::InviteProof> proof_of(const Workplace& place, const repository::InviteText& invite) {
  CB_ASSIGN(repository::InviteKeys keys, repository::invite_keys(*place.suite().crypto, invite));
  return client::InviteProof{invite.id, std::move(keys.proof), invite.repository, invite.root};
}

Result<Secret> passphrase_for(const CommonOptions& options, Role role) {
  if (!client::needs_passphrase(role)) return Secret();
  return read_passphrase(
      options,
      role == Role::reader ? "New passphrase for this device: " : "New passphrase: ", true);
}

Error told(Error error) {
  if (error.code == Code::denied && error.advice.empty())
    error.advice = "an invite works once, until it expires; ask the owner for another";
  return error;
}

// The device that is to join: the one of a join that was interrupted, or a new one.
Result<Joining> prepare(const CommonOptions& options, const Workplace& place,
                        const repository::InviteText& invite, const client::OpenedInvite& opened) {
  CB_ASSIGN(const Secret passphrase, passphrase_for(options, opened.invite.role));
  return client::begin_join(enrolment_parts(place), invite, opened, as_text(passphrase.view()));
}

Result<client::V4Welcome> send(Workplace& place, const client::InviteProof& proof,
                               const client::AccountPlace& where, const Joining& joining) {
  client::OpenedInvite known;
  known.record = joining.profile.record;
  return try_servers<client::V4Welcome>(
      place, where, [&](const stream::Stack& stack, const stream::Target& target) {
        return client::join(stack, target, proof, known, joining.device);
      });
}

tl::unexpected<Failure> here(Error error) { return tl::unexpected<Failure>({std::move(error)}); }
tl::unexpected<Failure> there(Error error) {
  return tl::unexpected<Failure>({std::move(error), true});
}

// Asks what the invite leads to, then makes the device's keys.
tl::expected<Joining, Failure> meet(const CommonOptions& options, Workplace& place,
                                    const repository::InviteText& invite,
                                    const client::InviteProof& proof) {
  const auto opened = try_servers<client::OpenedInvite>(
      place, client::place_of(invite),
      [&](const stream::Stack& stack, const stream::Target& target) {
        return client::open_invite(stack, target, proof);
      });
  if (!opened) return there(told(opened.error()));
  auto joining = prepare(options, place, invite, *opened);
  if (!joining) return here(std::move(joining).error());
  return std::move(*joining);
}

// Has the server take the device. `fresh`: it heard nothing of it before.
Newcoming come_in(const CommonOptions& options, Workplace& place,
                  const repository::InviteText& invite, const client::InviteProof& proof,
                  const Joining& joining, bool fresh) {
  const client::EnrolmentParts parts = enrolment_parts(place);
  const auto welcome = send(place, proof, client::place_of(invite), joining);
  if (!welcome) {
    // Keys that the server never took are of no use to anybody.
    if (fresh && welcome.error().code == Code::denied) (void)client::give_up_join(parts);
    return there(told(welcome.error()));
  }
  // First whose commits count: a profile without that would take any server's.
  Status done = remember_server(place, joining.profile.repository, *welcome);
  if (done) done = client::accept_join(parts, joining);
  if (done) done = tell_joined(options, joining);
  if (!done) return here(std::move(done).error());
  return {};
}

}  // namespace

client::EnrolmentParts enrolment_parts(const Workplace& place) {
  return {place.suite().crypto, &os::real_file_system(), &os::system_random(),
          &os::system_clock(),  place.profile_path(),    {}};
}

Status remember_server(const Workplace& place, const repository::RepositoryId& repository,
                       const client::V4Welcome& welcome) {
  client::Receipts receipts(os::real_file_system(), place.profile_path(), repository);
  return receipts.begin(welcome.server_key);
}

Status tell_joined(const CommonOptions& options, const Joining& joining) {
  const client::Profile& profile = joining.profile;
  const std::string role = client::name_of(profile.role);
  std::string text;
  if (options.json)
    text = report::json_line({{"event", "done"},
                              {"profile", options.profile},
                              {"account", profile.account},
                              {"repository", profile.repository.hex()},
                              {"device", joining.device.device.hex()},
                              {"role", role},
                              {"exit", 0}}) +
           "\n";
  else
    text = "This device is " + std::string(profile.role == Role::owner ? "an " : "a ") + role +
           " of account " + profile.account + " now, as profile " + options.profile + ".\n" +
           meaning_of(profile.role) + next_step(options, profile.role);
  CB_TRY(print(text));
  return std::fflush(stdout) == 0 ? Status() : failed(Code::io, "standard output", "is closed");
}

Newcoming join_by_invite(const CommonOptions& options, const std::string& text) {
  const auto invite = repository::parse_invite(text);
  if (!invite) return here(invite.error());
  const auto place = Workplace::open(options);
  if (!place) return here(place.error());
  const auto proof = proof_of(**place, *invite);
  if (!proof) return here(proof.error());
  const auto waiting = client::waiting_join(enrolment_parts(**place), *invite);
  if (!waiting) return here(waiting.error());
  if (*waiting) return come_in(options, **place, *invite, *proof, **waiting, false);
  const auto joining = meet(options, **place, *invite, *proof);
  if (!joining) return tl::unexpected<Failure>(joining.error());
  return come_in(options, **place, *invite, *proof, *joining, true);
}

}  // namespace cb
