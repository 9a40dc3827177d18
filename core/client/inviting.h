// SPDX-License-Identifier: Apache-2.0
//
// An owner's client makes an invite. Functions are thread-safe.
#pragma once

#include <chrono>

#include "core/client/profile.h"
#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/repository/invite.h"
#include "core/repository/owner_remote.h"

namespace cb::client {

struct InviteWish {
  repository::Role role = repository::Role::writer;
  bool shares_dedup = false;  // writers
  std::chrono::nanoseconds valid = std::chrono::hours(24);
  std::string name;  // of the device, for owners to see; may be empty
};

struct MadeInvite {
  repository::Invite invite;
  repository::NewInvite record;  // for the server
  std::string text;              // for whoever is invited: as good as a key until it is used
};

struct InviteParts {
  const plugin::Crypto* crypto = nullptr;
  os::Random* random = nullptr;
  const os::Clock* clock = nullptr;
};

// `keyring` is the owner's. Code::invalid for a wish that makes no sense.
Result<MadeInvite> make_invite(const InviteParts& parts, const Profile& profile,
                               const repository::Keyring& keyring, const InviteWish& wish);

}  // namespace cb::client
