// SPDX-License-Identifier: Apache-2.0
//
// Devices that owners let in, for tests: made with plain keys, right until a test spoils them.
#pragma once

#include "tests/v4/v4_peer.h"

namespace cb::server {

// A device and the invite that it joins with.
struct V4Invited {
  static V4Invited make(const V4Owner& owner, repository::Role role, uint64_t flags = 0);
  // Signs invite and certificate anew, after a change.
  void sign(const V4Owner& owner);

  [[nodiscard]] v4::pb::AddInvite add_invite() const;
  [[nodiscard]] v4::pb::OpenInvite open_invite() const;
  [[nodiscard]] v4::pb::Join join(ByteView statement) const;
  // To log in and sign snapshots with.
  [[nodiscard]] V4Owner member(const V4Owner& owner) const;

  identity::SigningKey invite_key;
  identity::SigningKey key;
  repository::DeviceId device;
  repository::Invite invite;
  Bytes proof;
  Bytes sealed_keys;
  repository::Certificate certificate;
  std::vector<repository::KeySlot> slots;
};

// A slot of a passphrase as rotation makes them, signed by the root key.
repository::KeySlot signed_slot(const V4Owner& owner);
// The next record of the owner's repository, with another epoch, and what is revoked.
repository::RepositoryRecord next_record(const V4Owner& owner,
                                         std::vector<repository::Revocation> revoked = {});
// Signs the record anew.
void sign_record(const V4Owner& owner, repository::RepositoryRecord& record);
v4::pb::PutRecord put_record(const repository::RepositoryRecord& record);
repository::Revocation revocation(ByteView id, uint64_t since = 1);

}  // namespace cb::server
