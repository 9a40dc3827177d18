// SPDX-License-Identifier: Apache-2.0
//
// Key rotation and revocation (docs/trust.md, "Rotation"), as an owner's client does them. Every
// step can be repeated: what was interrupted goes on when it is run again. Functions block; one
// rotation of a repository at a time.
#pragma once

#include <span>

#include "core/os/random.h"
#include "core/repository/owner_remote.h"
#include "core/repository/slots.h"

namespace cb::client {

struct RotationParts {
  const plugin::Crypto* crypto = nullptr;
  os::Random* random = nullptr;
  repository::OwnerRemote* owner = nullptr;
  // The sequence of the next commit: from it on nothing counts of who comes with an invite that a
  // rotation withdraws.
  uint64_t next_commit = 0;
};

// What there is, and what opens it.
struct Unlocked {
  repository::RepositoryRecord record;  // the newest, verified
  std::vector<repository::KeySlot> slots;
  repository::Keyring keyring;  // an owner's, checked against the record
  // The passphrase or the recovery code (its 32 bytes) that opened it: slots of format 1 that it
  // opens are made anew.
  Secret secret;
};

struct RotationReport {
  uint32_t epoch = 0;     // the newest
  bool went_on = false;   // a rotation that was begun before is finished with it
  bool finished = false;  // the older epochs are gone
  uint64_t sessions = 0;  // wrapped anew
  uint64_t slots = 0;     // sealed anew
  std::vector<repository::InviteId> withdrawn;
  std::vector<std::string> problems;  // sessions that could not be wrapped, each a sentence
};

// Draws the next epoch, wraps the keys of all sessions for it, and lets the older epochs go: those
// of rotations that were interrupted, too. What is `revoked` counts from the first step on. Invites
// of readers and owners that wait are revoked with the first step and withdrawn: they hold the
// older keys. Code::state when a slot of format 1 stands in the way, or when somebody else changed
// the repository's record meanwhile. `unlocked` is up to date afterwards.
Result<RotationReport> rotate(const RotationParts& parts, Unlocked& unlocked,
                              std::span<const repository::Revocation> revoked);

// Revokes without drawing an epoch: what comes after can still be read by who had the keys. Slots
// that are revoked, and those of revoked readers, are removed. Slots of format 1 do not stand in
// the way: then the others stay as they are.
Status revoke(const RotationParts& parts, Unlocked& unlocked,
              std::span<const repository::Revocation> revoked);

// A device and, because it knows the key that certified it, its invite. `since` is the sequence of
// the first commit that is not to count. Code::auth when the certificate is none that leads to the
// record's root: a server could leave the invite out, or show another's.
Result<std::vector<repository::Revocation>> revocation_of(
    const repository::RepositoryRecord& record, const repository::Certificate& certificate,
    uint64_t since);

}  // namespace cb::client
