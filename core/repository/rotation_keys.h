// SPDX-License-Identifier: Apache-2.0
//
// What key rotation makes (docs/trust.md, "Rotation"): the pair of the next epoch, and session
// records that hold old sessions' keys under it. Functions are thread-safe.
#pragma once

#include "core/identity/signing.h"
#include "core/repository/keys.h"

namespace cb::repository {

// Draws the pair of the next epoch: its public half goes into the record, which is then the next
// revision and not signed yet, its private half into the keyring.
Status add_epoch(const plugin::Crypto& crypto, RepositoryRecord& record, Keyring& keyring);

// Wraps the keys of sessions for the newest epoch.
class Rewrapper {
 public:
  // `keyring` is an owner's and has the private halves of the older epochs.
  static Result<Rewrapper> make(const plugin::Crypto& crypto, const RepositoryRecord& record,
                                const Keyring& keyring);

  // The record that replaces this one, signed by the root key. Code::not_found when the keyring
  // lacks the record's epoch, Code::auth when the key does not come out. No blob changes.
  Result<Bytes> rewrap(const SessionId& session, ByteView record) const;

 private:
  Rewrapper(const RepositoryRecord& record, identity::SigningKey root, plugin::KeyPair newest)
      : repository_(record.id),
        suite_(record.suite),
        epoch_(record.epochs.back().number),
        root_(std::move(root)),
        newest_(std::move(newest)) {}

  RepositoryId repository_;
  std::string suite_;
  uint32_t epoch_;
  identity::SigningKey root_;
  plugin::KeyPair newest_;
  std::map<uint32_t, plugin::KeyPair> older_;
};

}  // namespace cb::repository
