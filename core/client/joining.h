// SPDX-License-Identifier: Apache-2.0
//
// A device comes into an account that has an owner: with an owner's invite, or with the account's
// password and a passphrase of the repository. What it will be is kept in a pending file before the
// server hears of it, so an interrupted join goes on with the same keys. Functions block; use a
// profile by one process at a time.
#pragma once

#include "core/client/enrolment.h"
#include "core/client/v4_login.h"
#include "core/repository/invite.h"

namespace cb::client {

struct Joining {
  NewDevice device;  // for the server
  Profile profile;   // to be saved when the server has taken it
};

// Where the account is.
struct AccountPlace {
  std::vector<std::string> servers;
  std::string pin;  // 64 hex digits
};
AccountPlace place_of(const repository::InviteText& invite);

// Does a device of this role need a passphrase? Owners add a slot with it, readers lock their own
// key.
bool needs_passphrase(repository::Role role);

// A join by this invite that was interrupted, if there is one: go on with it without asking the
// server what the invite leads to, which may have used it up. Code::exists when the folder has a
// profile.
Result<std::optional<Joining>> waiting_join(const EnrolmentParts& parts,
                                            const repository::InviteText& invite);
// Makes the device's keys and keeps them; its name is the one that the owner gave to the invite.
// Code::auth when what the invite led to is not of its secret, Code::state when the keys were
// rotated since it was made.
Result<Joining> begin_join(const EnrolmentParts& parts, const repository::InviteText& invite,
                           const OpenedInvite& opened, std::string_view passphrase);

// For a person who logged in with the account's password and opened `keyring`.
struct PersonLogin {
  AccountPlace place;
  std::string account;
  const repository::RepositoryRecord& record;
  const repository::Keyring& keyring;  // an owner's, checked against the record
  repository::Role role = repository::Role::owner;
  std::string name;             // of the device, for owners to see; may be empty
  std::string_view passphrase;  // a reader's, of this device
};
// The root key certifies the device. Goes on with a login that was interrupted, under the name of
// the first time.
Result<Joining> begin_login(const EnrolmentParts& parts, const PersonLogin& login);

// The server has taken the device: saves the profile and removes the pending file.
Status accept_join(const EnrolmentParts& parts, const Joining& joining);
// The server refused it: removes the pending file.
Status give_up_join(const EnrolmentParts& parts);

}  // namespace cb::client
