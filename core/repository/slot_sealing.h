// SPDX-License-Identifier: Apache-2.0
//
// The two halves of a slot of format 2: the locked private half of a pair, and the keyring sealed
// to the public one (docs/repository-format.md). Functions are thread-safe.
#pragma once

#include "core/repository/slots.h"

namespace cb::repository {

// Where a slot stands; all outlive the calls.
struct SlotPlace {
  const plugin::Crypto& crypto;
  const RepositoryId& repository;
  const SlotId& slot;
};

// Locks a pair's private half, and with it the root key that the keyring will have to be of: the
// keyring is sealed to a public half, which the server knows, too.
Result<Bytes> lock_pair(const SlotPlace& place, const plugin::KeyPair& pair,
                        const SigningPublic& root, ByteView stretched);
struct Unlocked {
  plugin::KeyPair pair;
  SigningPublic root{};
};
// Code::auth when the bytes do not open.
Result<Unlocked> unlock_pair(const SlotPlace& place, ByteView locked, ByteView stretched);

// Sets the slot's cipher and sealed keyring.
Status seal_keyring(const plugin::Crypto& crypto, const RepositoryId& repository, KeySlot& slot,
                    const plugin::KeyPair& to, const Keyring& keyring);
// Code::auth when it was sealed to another pair or altered.
Result<Keyring> unseal_keyring(const plugin::Crypto& crypto, const RepositoryId& repository,
                               const KeySlot& slot, const plugin::KeyPair& pair);

// Of format 1: the keyring under the stretched secret itself. Code::auth when it does not open.
Result<Keyring> open_first_format(const plugin::Crypto& crypto, const RepositoryId& repository,
                                  const KeySlot& slot, ByteView stretched);
// For tests of the way back: what programs of format 1 wrote.
Result<Bytes> seal_first_format(const plugin::Crypto& crypto, const RepositoryId& repository,
                                const KeySlot& slot_without_sealed, const Keyring& keyring,
                                ByteView stretched);

}  // namespace cb::repository
