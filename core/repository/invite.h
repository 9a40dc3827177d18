// SPDX-License-Identifier: Apache-2.0
//
// Invites (docs/trust.md): what an owner's client hands out so that one device more may come in
// with the keys of its role. The secret is in the pasted text alone; of it come the proof that the
// server checks, the key that certifies the device, and the seal around the keys. Functions are
// thread-safe.
#pragma once

#include <string>
#include <vector>

#include "core/identity/signing.h"
#include "core/plugin/crypto.h"
#include "core/repository/records.h"

namespace cb::repository {

constexpr size_t kInviteSecretSize = 32;

// What the pasted text says (docs/repository-format.md, "Invite").
struct InviteText {
  InviteId id;
  Secret secret;  // 32 bytes
  RepositoryId repository;
  SigningPublic root{};              // the owner's
  std::array<std::byte, 32> pin{};   // SHA-256 of the server's SubjectPublicKeyInfo
  std::vector<std::string> servers;  // "host:port", tried in turn; at least one
};

// One line without an end. Code::invalid when it could not be parsed again.
Result<std::string> format_invite(const InviteText& invite);
// White space does not count. Code::invalid when it is no invite or was not copied whole (advice
// says which), Code::unsupported for another version.
Result<InviteText> parse_invite(std::string_view text);
// Is it meant to be an invite, whole or not?
bool looks_like_invite(std::string_view text);

// What comes of the secret.
struct InviteKeys {
  Secret proof;              // 32 bytes; the server keeps their SHA-256
  identity::SigningKey key;  // certifies the device that comes
};
Result<InviteKeys> invite_keys(const plugin::Crypto& crypto, const InviteText& invite);

// What the new device gets: its keys, and how the owner calls it, which it cannot read
// (device_name.h; may be empty).
struct InviteGift {
  Keyring keyring;
  Bytes name;
};
Result<Bytes> seal_gift(const plugin::Crypto& crypto, const InviteText& invite,
                        const InviteGift& gift);
// Code::auth when it was not sealed with this secret.
Result<InviteGift> open_gift(const plugin::Crypto& crypto, const InviteText& invite,
                             ByteView sealed);

}  // namespace cb::repository
