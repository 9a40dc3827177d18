// SPDX-License-Identifier: Apache-2.0
#include "core/client/enrolment.h"

#include <algorithm>
#include <optional>

#include "core/base/trial.h"
#include "core/client/key_file.h"
#include "core/client/pending_enrolment.h"
#include "core/repository/device_name.h"
#include "core/repository/signatures.h"

namespace cb::client {
namespace {

using repository::KeySlot;

int64_t now(const EnrolmentParts& parts) { return parts.clock->wall().count(); }

Result<Bytes> sealed_name(const EnrolmentParts& parts, const repository::NewRepository& made,
                          const repository::DeviceId& device, const std::string& name) {
  if (name.empty()) return Bytes();
  CB_ASSIGN(const auto names, repository::DeviceNames::make(*parts.crypto, made.record.id,
                                                            made.keyring.root_seed.view()));
  return names.seal(device, name);
}

Status add_certificate(const EnrolmentParts& parts, const repository::NewRepository& made,
                       const std::string& name, PendingEnrolment& pending) {
  CB_ASSIGN(const identity::SigningKey device, identity::SigningKey::make(*parts.random));
  repository::Certificate certificate;
  certificate.device = device.public_key();
  certificate.role = repository::Role::owner;
  certificate.created_ns = now(parts);
  CB_ASSIGN(certificate.name,
            sealed_name(parts, made, repository::device_of(certificate.device), name));
  CB_TRY(repository::sign_certificate(certificate, made.record.id, made.root));
  pending.device_seed = device.seed().clone();
  pending.certificate = repository::encode(certificate);
  return {};
}

Result<PendingEnrolment> fresh(const EnrolmentParts& parts, const EnrolmentWish& wish) {
  repository::RepositoryWish like;
  like.created_ns = now(parts);
  CB_ASSIGN(const repository::NewRepository made,
            repository::make_repository(*parts.crypto, *parts.random, like));
  PendingEnrolment pending;
  CB_TRY(add_certificate(parts, made, wish.name, pending));
  pending.repository = repository::encode(made.record);
  pending.write_key = made.keyring.write_key.clone();
  pending.recovery_code = Secret(repository::kRecoveryCodeSize);
  CB_TRY(parts.random->fill(pending.recovery_code.span()));
  const repository::SlotMaker maker{*parts.crypto, *parts.random, made.record.id, made.keyring};
  CB_ASSIGN(const KeySlot by_passphrase,
            repository::make_passphrase_slot(maker, wish.passphrase, parts.cost));
  CB_ASSIGN(const KeySlot by_code,
            repository::make_recovery_slot(maker, pending.recovery_code.view()));
  pending.slots = {repository::encode(by_passphrase), repository::encode(by_code)};
  return pending;
}

// Does the passphrase open what waits? The person would otherwise be left with one that does not.
Status check_passphrase(const EnrolmentParts& parts, const PendingEnrolment& pending,
                        std::string_view passphrase) {
  CB_ASSIGN(const repository::RepositoryRecord record,
            repository::decode_repository(pending.repository));
  std::vector<KeySlot> slots;
  for (const Bytes& raw : pending.slots) {
    CB_ASSIGN(KeySlot slot, repository::decode_slot(raw));
    slots.push_back(std::move(slot));
  }
  auto opened = repository::open_with_passphrase(*parts.crypto, record.id, slots, passphrase);
  if (opened) return {};
  return failed(std::move(opened).error().with_advice(
      "an enrolment was begun here with another passphrase: give that one, or delete " +
      pending_file(parts.folder).string() + " if the server never took it"));
}

// The keys of an enrolment that was interrupted, or fresh ones. What waits for another token is
// worth keeping only to somebody who has its passphrase.
Result<PendingEnrolment> keys_for(const EnrolmentParts& parts,
                                  const repository::PairingToken& token,
                                  std::optional<PendingEnrolment> pending,
                                  const EnrolmentWish& wish) {
  if (!pending) return fresh(parts, wish);
  Status opens = check_passphrase(parts, *pending, wish.passphrase);
  if (opens) return std::move(*pending);
  if (pending->token == token.id || opens.error().code != Code::denied)
    return failed(std::move(opens).error());
  return fresh(parts, wish);
}

Result<Profile> profile_of(const repository::PairingToken& token, const PendingEnrolment& pending) {
  Profile profile;
  profile.servers = token.servers;
  profile.pin = to_hex(token.pin);
  CB_ASSIGN(profile.record, repository::decode_repository(pending.repository));
  profile.repository = profile.record.id;
  profile.root = profile.record.root;
  profile.role = repository::Role::owner;
  profile.device_seed = pending.device_seed.clone();
  profile.write_key = pending.write_key.clone();
  return profile;
}

Status check_folder(const EnrolmentParts& parts, const std::optional<PendingEnrolment>& pending,
                    const repository::PairingToken& token) {
  if (!has_profile(*parts.files, parts.folder)) return {};
  if (pending && pending->token == token.id) return {};
  return failed(Code::exists, "profile " + parts.folder.filename().string(), "is enrolled already",
                "choose another name with --profile, or remove " + parts.folder.string());
}

}  // namespace

Result<Enrolment> begin_enrolment(const EnrolmentParts& parts,
                                  const repository::PairingToken& token,
                                  const EnrolmentWish& wish) {
  CB_ASSIGN(std::optional<PendingEnrolment> waiting, load_pending(*parts.files, parts.folder));
  CB_TRY(check_folder(parts, waiting, token));
  CB_ASSIGN(PendingEnrolment pending, keys_for(parts, token, std::move(waiting), wish));
  pending.token = token.id;
  CB_TRY(save_pending(*parts.files, parts.folder, pending));
  trial::passed("enrol.keys_kept");
  Enrolment enrolment;
  CB_ASSIGN(enrolment.profile, profile_of(token, pending));
  enrolment.token_id = token.id;
  enrolment.token_secret = token.secret.clone();
  enrolment.repository = std::move(pending.repository);
  enrolment.certificate = std::move(pending.certificate);
  enrolment.slots = std::move(pending.slots);
  enrolment.recovery_code = std::move(pending.recovery_code);
  return enrolment;
}

Status accept_enrolment(const EnrolmentParts& parts, Enrolment& enrolment,
                        const std::string& account) {
  enrolment.profile.account = account;
  trial::passed("enrol.enrolled");
  return save_profile(*parts.files, parts.folder, enrolment.profile);
}

Status finish_enrolment(const EnrolmentParts& parts) {
  CB_TRY(parts.files->remove(pending_file(parts.folder)));
  return parts.files->sync_folder(parts.folder);
}

bool enrolment_pending(os::FileSystem& files, const os::Path& folder) {
  return files.info(pending_file(folder)).has_value();
}

}  // namespace cb::client
