// SPDX-License-Identifier: Apache-2.0
//
// Opening the keyring with what a person has, as far as the device's role goes. Used by one thread.
#pragma once

#include <vector>

#include "core/client/rotation.h"
#include "core/repository/device_name.h"
#include "hosts/cyberbackup/workplace.h"

namespace cb {

// Code::denied, with the role that it takes, unless the profile's is one of these.
Status need_role(const Workplace& place, std::initializer_list<repository::Role> roles,
                 const std::string& doing);

// An owner's keys, and what they were opened with.
struct OwnerKeys {
  repository::Keyring keyring;
  Secret secret;  // the passphrase, or the bytes of the recovery code
};
// Asks for the passphrase or the recovery code, showing `prompt`; a terminal three times.
// Code::auth when the keyring is not the one that the owner of this record made.
Result<OwnerKeys> open_owner_slots(const CommonOptions& options, const repository::Suite& suite,
                                   const repository::RepositoryRecord& record,
                                   const std::vector<repository::KeySlot>& slots,
                                   const std::string& prompt);

// For what only owners may do: connects nothing, fetches the slots, asks, opens. Code::denied for
// other roles.
Result<client::Unlocked> unlock_owner(Workplace& place, repository::Remote& remote,
                                      const std::string& doing);

// The names of the account's devices, with an owner's keys.
Result<repository::DeviceNames> names_of(const Workplace& place,
                                         const repository::Keyring& keyring);

}  // namespace cb
