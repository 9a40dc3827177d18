// SPDX-License-Identifier: Apache-2.0
#include "core/client/inviting.h"

#include <algorithm>

#include "core/repository/device_name.h"
#include "core/repository/keys.h"
#include "core/repository/slots.h"

namespace cb::client {
namespace {

using repository::Invite;
using repository::InviteText;

Status check(const InviteWish& wish) {
  if (wish.shares_dedup && wish.role != repository::Role::writer)
    return failed(Code::invalid, "invite", "shares deduplication, which only writers do",
                  "leave out --share-dedup");
  if (wish.valid.count() <= 0)
    return failed(Code::invalid, "invite", "would be over at once", "give it some time");
  return wish.name.empty() ? Status() : repository::check_device_name(wish.name);
}

// Only owners read it, so the device gets it as it lies in its certificate.
Result<Bytes> sealed_name(const plugin::Crypto& crypto, const repository::Keyring& keyring,
                          const InviteText& text, const std::string& name) {
  if (name.empty()) return Bytes();
  CB_ASSIGN(const auto names,
            repository::DeviceNames::make(crypto, text.repository, keyring.root_seed.view()));
  return names.seal(text.id, name);
}

Result<InviteText> draw_text(const InviteParts& parts, const Profile& profile) {
  InviteText text;
  CB_ASSIGN(text.id, repository::draw_id<repository::InviteId>(*parts.random));
  text.secret = Secret(repository::kInviteSecretSize);
  CB_TRY(parts.random->fill(text.secret.span()));
  text.repository = profile.repository;
  text.root = profile.root;
  CB_ASSIGN(const Bytes pin, from_hex(profile.pin));
  if (pin.size() != text.pin.size())
    return failed(Code::corrupt, "profile", "has no pin of 64 hex digits");
  std::copy(pin.begin(), pin.end(), text.pin.begin());
  text.servers = profile.servers;
  return text;
}

}  // namespace

Result<MadeInvite> make_invite(const InviteParts& parts, const Profile& profile,
                               const repository::Keyring& keyring, const InviteWish& wish) {
  CB_TRY(check(wish));
  CB_ASSIGN(const auto root, identity::SigningKey::from_seed(keyring.root_seed.view()));
  CB_ASSIGN(const InviteText text, draw_text(parts, profile));
  CB_ASSIGN(const repository::InviteKeys keys, repository::invite_keys(*parts.crypto, text));
  MadeInvite made;
  Invite& invite = made.invite;
  invite.id = text.id;
  invite.key = keys.key.public_key();
  invite.role = wish.role;
  invite.flags = wish.shares_dedup ? repository::kDeviceSharesDedup : 0;
  invite.created_ns = parts.clock->wall().count();
  invite.expires_ns = invite.created_ns + wish.valid.count();
  CB_ASSIGN(invite.signature, root.sign(repository::signed_part(invite, profile.repository)));
  made.record.record = repository::encode(invite);
  made.record.proof_hash = identity::sha256(keys.proof.view());
  CB_ASSIGN(Bytes name, sealed_name(*parts.crypto, keyring, text, wish.name));
  CB_ASSIGN(made.record.sealed_keys,
            repository::seal_gift(*parts.crypto, text,
                                  {repository::keyring_of(keyring, wish.role), std::move(name)}));
  CB_ASSIGN(made.text, repository::format_invite(text));
  return made;
}

}  // namespace cb::client
