// SPDX-License-Identifier: Apache-2.0
#include "core/client/joining.h"

#include <algorithm>

#include "core/client/pending_join.h"
#include "core/repository/device_name.h"
#include "core/repository/signatures.h"

namespace cb::client {
namespace {

using repository::Certificate;
using repository::Keyring;
using repository::RepositoryRecord;
using repository::Role;

// What a new device's keys are made for, whoever vouches for it.
struct Newcomer {
  const RepositoryRecord& record;
  const Keyring& keyring;  // of its role
  std::string account;
  Certificate certificate;  // has what is known before its key is drawn; not signed
  const identity::SigningKey& signer;
};

Status check_free(const EnrolmentParts& parts) {
  if (!has_profile(*parts.files, parts.folder)) return {};
  return failed(Code::exists, "profile " + parts.folder.filename().string(), "is enrolled already",
                "choose another name with --profile, or remove " + parts.folder.string());
}

Result<Joining> joining_of(const PendingJoin& pending, const AccountPlace& place) {
  CB_ASSIGN(auto made, identity::SigningKey::from_seed(pending.device_seed.view()));
  const auto key = std::make_shared<const identity::SigningKey>(std::move(made));
  CB_ASSIGN(const Certificate certificate, repository::decode_certificate(pending.certificate));
  Joining joining;
  joining.device.certificate = pending.certificate;
  joining.device.slots = pending.slots;
  joining.device.device = repository::device_of(key->public_key());
  joining.device.sign = [key](ByteView message) { return key->sign(message); };
  Profile& profile = joining.profile;
  profile.servers = place.servers;
  profile.pin = place.pin;
  profile.account = pending.account;
  CB_ASSIGN(profile.record, repository::decode_repository(pending.repository));
  profile.repository = profile.record.id;
  profile.root = profile.record.root;
  profile.role = certificate.role;
  profile.device_seed = pending.device_seed.clone();
  profile.write_key = pending.write_key.clone();
  profile.reader_lock = pending.reader_lock;
  return joining;
}

Status add_reader_slot(const EnrolmentParts& parts, Newcomer& newcomer, std::string_view passphrase,
                       PendingJoin& pending) {
  const repository::DeviceId device = repository::device_of(newcomer.certificate.device);
  const repository::DeviceSlotPlace place{*parts.crypto, newcomer.record.id, newcomer.record.root,
                                          device};
  CB_ASSIGN(repository::MadeDeviceLock made,
            repository::make_device_lock(place, *parts.random, passphrase, parts.cost));
  CB_ASSIGN(const auto slot,
            repository::make_device_slot(place, made.kem_public, newcomer.keyring));
  newcomer.certificate.kem_public = std::move(made.kem_public);
  pending.reader_lock = repository::encode(made.lock);
  pending.slots.push_back(repository::encode(slot));
  return {};
}

Status add_owner_slot(const EnrolmentParts& parts, const Newcomer& newcomer,
                      std::string_view passphrase, PendingJoin& pending) {
  const repository::SlotMaker maker{*parts.crypto, *parts.random, newcomer.record.id,
                                    newcomer.keyring};
  CB_ASSIGN(const auto slot, repository::make_passphrase_slot(maker, passphrase, parts.cost));
  pending.slots.push_back(repository::encode(slot));
  return {};
}

// Draws the device's key, and has it certified. `complete` adds what hangs on that key.
template <typename Complete>
Status make_device(const EnrolmentParts& parts, Newcomer& newcomer, PendingJoin& pending,
                   const Complete& complete) {
  CB_ASSIGN(const identity::SigningKey device, identity::SigningKey::make(*parts.random));
  Certificate& certificate = newcomer.certificate;
  certificate.device = device.public_key();
  certificate.created_ns = parts.clock->wall().count();
  CB_TRY(complete(newcomer, pending));
  CB_TRY(repository::sign_certificate(certificate, newcomer.record.id, newcomer.signer));
  pending.certificate = repository::encode(certificate);
  pending.repository = repository::encode(newcomer.record);
  pending.account = newcomer.account;
  pending.device_seed = device.seed().clone();
  if (certificate.role != Role::reader) pending.write_key = newcomer.keyring.write_key.clone();
  return save_pending_join(*parts.files, parts.folder, pending);
}

// The root key certifies the device, so the name is bound to the device itself.
Status add_name(const EnrolmentParts& parts, const PersonLogin& login, Certificate& certificate) {
  if (login.name.empty()) return {};
  CB_ASSIGN(const auto names, repository::DeviceNames::make(*parts.crypto, login.record.id,
                                                            login.keyring.root_seed.view()));
  CB_ASSIGN(certificate.name, names.seal(repository::device_of(certificate.device), login.name));
  return {};
}

// What came out of the invite is of its secret, of its owner, and of today.
Status check_gift(const EnrolmentParts& parts, const OpenedInvite& opened,
                  const repository::InviteKeys& keys, repository::InviteGift& gift) {
  if (opened.invite.key != keys.key.public_key() || gift.keyring.role != opened.invite.role)
    return failed(Code::auth, "invite " + opened.invite.id.hex(),
                  "does not lead to what it was made for",
                  "do not trust the server with it before you know why");
  CB_TRY(repository::check_keyring(*parts.crypto, gift.keyring, opened.record));
  const bool current = !gift.keyring.epochs.empty() &&
                       gift.keyring.epochs.back().epoch == opened.record.epochs.back().number;
  if (opened.invite.role == Role::writer || current) return {};
  return failed(Code::state, "invite " + opened.invite.id.hex(),
                "was made before the keys were rotated", "ask the owner for another");
}

}  // namespace

AccountPlace place_of(const repository::InviteText& invite) {
  return {invite.servers, to_hex(invite.pin)};
}

bool needs_passphrase(Role role) { return role != Role::writer; }

Result<std::optional<Joining>> waiting_join(const EnrolmentParts& parts,
                                            const repository::InviteText& invite) {
  CB_ASSIGN(const auto pending, load_pending_join(*parts.files, parts.folder));
  if (!pending || pending->invite != invite.id) {
    CB_TRY(check_free(parts));
    return std::optional<Joining>();
  }
  CB_ASSIGN(Joining joining, joining_of(*pending, place_of(invite)));
  return std::optional<Joining>(std::move(joining));
}

Result<Joining> begin_join(const EnrolmentParts& parts, const repository::InviteText& invite,
                           const OpenedInvite& opened, std::string_view passphrase) {
  CB_TRY(check_free(parts));
  CB_ASSIGN(const auto keys, repository::invite_keys(*parts.crypto, invite));
  CB_ASSIGN(auto gift, repository::open_gift(*parts.crypto, invite, opened.sealed_keys));
  CB_TRY(check_gift(parts, opened, keys, gift));
  Newcomer newcomer{opened.record, gift.keyring, opened.account, {}, keys.key};
  newcomer.certificate.role = opened.invite.role;
  newcomer.certificate.flags = opened.invite.flags;
  newcomer.certificate.invite = opened.invite;
  newcomer.certificate.name = std::move(gift.name);
  PendingJoin pending;
  pending.invite = invite.id;
  CB_TRY(make_device(parts, newcomer, pending, [&](Newcomer& who, PendingJoin& to) -> Status {
    if (opened.invite.role == Role::reader) return add_reader_slot(parts, who, passphrase, to);
    if (opened.invite.role == Role::owner) return add_owner_slot(parts, who, passphrase, to);
    return {};
  }));
  return joining_of(pending, place_of(invite));
}

Result<Joining> begin_login(const EnrolmentParts& parts, const PersonLogin& login) {
  CB_TRY(check_free(parts));
  CB_ASSIGN(const auto waiting, load_pending_join(*parts.files, parts.folder));
  if (waiting && waiting->invite.is_zero()) {
    CB_ASSIGN(Joining joining, joining_of(*waiting, login.place));
    const Profile& begun = joining.profile;
    // A reader's would have another passphrase now.
    if (begun.root == login.record.root && begun.role == login.role && login.role != Role::reader) {
      joining.profile.record = login.record;
      return joining;
    }
  }
  CB_ASSIGN(const auto root, identity::SigningKey::from_seed(login.keyring.root_seed.view()));
  const Keyring keyring = repository::keyring_of(login.keyring, login.role);
  Newcomer newcomer{login.record, keyring, login.account, {}, root};
  newcomer.certificate.role = login.role;
  PendingJoin pending;
  const auto complete = [&](Newcomer& who, PendingJoin& to) -> Status {
    CB_TRY(add_name(parts, login, who.certificate));
    // An owner's passphrase has its slot already: it was logged in with.
    if (login.role == Role::reader) return add_reader_slot(parts, who, login.passphrase, to);
    return {};
  };
  CB_TRY(make_device(parts, newcomer, pending, complete));
  return joining_of(pending, login.place);
}

Status accept_join(const EnrolmentParts& parts, const Joining& joining) {
  CB_TRY(save_profile(*parts.files, parts.folder, joining.profile));
  return give_up_join(parts);
}

Status give_up_join(const EnrolmentParts& parts) {
  CB_TRY(parts.files->remove(join_file(parts.folder)));
  return parts.files->sync_folder(parts.folder);
}

}  // namespace cb::client
