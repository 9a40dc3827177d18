// SPDX-License-Identifier: Apache-2.0
#include "core/server/v4_migration.h"

#include <algorithm>

#include "core/identity/signing.h"
#include "core/protocol/v4/channel.h"
#include "core/protocol/v4/messages.h"
#include "core/repository/signatures.h"

namespace cb::server {
namespace {

using catalog::LegacyClient;
using repository::KeySlot;
using repository::RepositoryRecord;
using repository::SlotKind;

constexpr size_t kChallengeSize = 32;
constexpr size_t kMostSlotsBrought = 4;
constexpr const char* kAskForToken =
    "ask the server's operator: cyberbackupd legacy allow NAME, or a token of cyberbackupd token "
    "create --legacy NAME";

Error refused(const LegacyClient& client, std::string cause, std::string advice) {
  return fail(Code::denied, "client " + v4::clean_text(client.name, 100), std::move(cause),
              std::move(advice));
}

Error device_refused(const repository::DeviceId& device, std::string cause) {
  return fail(Code::denied, "device " + device.hex(), std::move(cause));
}

bool is_servers(const KeySlot& slot) { return slot.kind == SlotKind::server; }

// 32 bytes as one object of the legacy suite; the key seals nothing else.
Result<Bytes> seal_once(const plugin::Key& key, ByteView plain) {
  CB_ASSIGN(plugin::Seal seal, key.seal({}));
  Bytes sealed = to_bytes(seal.header());
  const size_t front = sealed.size();
  sealed.resize(front + plain.size() + 2 * kChallengeSize);
  CB_ASSIGN(const size_t size, seal.chunk(plain, true, ByteSpan(sealed).subspan(front)));
  sealed.resize(front + size);
  return sealed;
}

}  // namespace

Result<V4Candidate> V4Migration::begin(V4MigrationWish wish) const {
  CB_ASSIGN(std::optional<LegacyClient> client, parts_.catalog->client_by_id(wish.client));
  if (!client || client->name != wish.name)
    return failed(Code::denied, "client " + v4::clean_text(wish.name, 100),
                  "is not known here under this name and id",
                  "check the server's address and the old client's folder");
  CB_TRY(check(*client, wish));
  V4Candidate candidate;
  candidate.wish = std::move(wish);
  candidate.client = std::move(*client);
  return candidate;
}

Status V4Migration::check(const LegacyClient& client, const V4MigrationWish& wish) const {
  CB_ASSIGN(const catalog::LegacyPolicy policy, parts_.catalog->legacy_policy(client.id));
  CB_TRY(check_not_owned(client, policy));
  if (client.public_key.empty())
    return failed(refused(client, "never sent a public key, so nothing can tell it from others",
                          "ask the server's operator for a token of a new account, and enroll: "
                          "cyberbackupd token create --account NAME"));
  if (wish.token) return check_token(client, wish);
  return check_rules(client, policy);
}

Status V4Migration::check_not_owned(const LegacyClient& client,
                                    const catalog::LegacyPolicy& policy) const {
  catalog::Accounts& accounts = parts_.catalog->accounts();
  CB_ASSIGN(const auto account, accounts.account_by_name(V3Keys::account_of(client.id)));
  bool owned = policy.migrated_ns != 0;
  if (account) {
    if (account->disabled)
      return failed(
          refused(client, "has an account that is disabled",
                  "ask the server's operator: cyberbackupd account enable " + account->name));
    CB_ASSIGN(const auto devices, accounts.devices(account->number));
    owned = owned || !devices.empty();
  }
  if (!owned) return {};
  return failed(refused(client, "has migrated already",
                        "ask its owner for an invite: cyberbackup device invite"));
}

// As for an enrolment, but for this client's account alone. Whose device spent it is seen when the
// device comes.
Status V4Migration::check_token(const LegacyClient& client, const V4MigrationWish& wish) const {
  const auto no = [](std::string cause) -> Status {
    return failed(Code::denied, "pairing token", std::move(cause),
                  "ask the server's operator for a new one: cyberbackupd token create --legacy "
                  "NAME");
  };
  catalog::Accounts& accounts = parts_.catalog->accounts();
  CB_ASSIGN(const auto token, accounts.token_by_id(*wish.token));
  const identity::Hash hash = identity::sha256(wish.token_secret.view());
  if (!token || !equal_in_constant_time(hash, token->secret_hash)) return no("is not known here");
  CB_ASSIGN(const auto account, accounts.account_by_name(V3Keys::account_of(client.id)));
  if (!account || token->account != account->number) return no("is of another account");
  if (!token->used_by && token->expires_ns <= now()) return no("has expired");
  return {};
}

Status V4Migration::check_rules(const LegacyClient& client,
                                const catalog::LegacyPolicy& policy) const {
  if (policy.key_replaced)
    return failed(refused(client, "has sent another public key than before",
                          "the server's operator has to find out who did, and then gives a token: "
                          "cyberbackupd token create --legacy NAME"));
  switch (parts_.policy->settings().migrate) {
    case V3Migration::open:
      return {};
    case V3Migration::allowed:
      if (now() < policy.allowed_until_ns) return {};
      break;
    case V3Migration::token:
      break;
  }
  return failed(refused(client, "may not migrate without the operator's word", kAskForToken));
}

Result<V4Challenge> V4Migration::challenge(V4Candidate& candidate) const {
  candidate.challenge = Secret(kChallengeSize);
  CB_TRY(parts_.random->fill(candidate.challenge.span()));
  CB_ASSIGN(const plugin::KeyPair pair, parts_.legacy->import_public(candidate.client.public_key));
  CB_ASSIGN(plugin::Encapsulated fresh, pair.encapsulate({}));
  CB_ASSIGN(Bytes sealed, seal_once(fresh.key, candidate.challenge.view()));
  return V4Challenge{std::move(fresh.cipher), std::move(sealed)};
}

Result<V4Handover> V4Migration::hand_over(V4Candidate& candidate, ByteView proof,
                                          ByteView statement) const {
  // Once: another try needs another challenge.
  const Secret challenge = std::move(candidate.challenge);
  const identity::Hash expected = v4::migration_proof(statement, challenge.view());
  if (challenge.size() != kChallengeSize || !equal_in_constant_time(expected, proof))
    return failed(refused(candidate.client, "did not prove that it holds the key of this name",
                          "use the folder of the client that uploaded"));
  CB_TRY(check(candidate.client, candidate.wish));
  CB_ASSIGN(const auto repository, parts_.keys->ensure(candidate.client.id));
  V4Handover handover;
  handover.account = V3Keys::account_of(candidate.client.id);
  CB_ASSIGN(handover.record, parts_.engine->record(repository->record.id));
  handover.keyring = repository::encode(repository->keyring);
  CB_ASSIGN(const auto slots, parts_.engine->slots(repository->record.id));
  const auto slot = std::find_if(slots.begin(), slots.end(), is_servers);
  if (slot == slots.end())
    return failed(Code::internal, "repository " + repository->record.id.hex(),
                  "has no key slot of the server's");
  handover.server_slot = slot->id;
  candidate.proved = true;
  return handover;
}

Result<V4Member> V4Migration::adopt(const V4Candidate& candidate, const V4NewDevice& device,
                                    ByteView statement,
                                    const repository::Signature& signature) const {
  CB_TRY(identity::verify(device.certificate.device, statement, signature));
  const std::string name = V3Keys::account_of(candidate.client.id);
  CB_ASSIGN(const auto account, parts_.catalog->accounts().account_by_name(name));
  if (!account) return failed(Code::internal, "account " + name, "is not there");
  const auto lock = parts_.changes->lock(account->number);
  CB_TRY(check(candidate.client, candidate.wish));
  CB_ASSIGN(const auto repository, parts_.engine->of_account(name));
  if (!repository) return failed(Code::internal, "account " + name, "has no repository");
  CB_ASSIGN(const RepositoryRecord record, parts_.engine->record(*repository));
  CB_TRY(check_device(*account, record, device));
  CB_TRY(install(candidate, *account, *repository, device));
  V4Member member = member_of(*account, *repository, device);
  CB_TRY(confirm_member(parts_.catalog->accounts(), member));
  return member;
}

Status V4Migration::check_device(const catalog::Account& account, const RepositoryRecord& record,
                                 const V4NewDevice& device) const {
  const repository::Certificate& certificate = device.certificate;
  if (certificate.invite)
    return failed(device_refused(device.device, "was invited, so it joins instead"));
  CB_TRY(repository::verify_certificate(certificate, record));
  if (certificate.role != repository::Role::owner)
    return failed(device_refused(device.device, "is not certified as an owner"));
  CB_ASSIGN(const auto known, parts_.catalog->accounts().device_by_id(device.device.bytes));
  if (known && known->account != account.number)
    return failed(device_refused(device.device, "belongs to another account"));
  if (device.slots.empty() || device.slots.size() > kMostSlotsBrought)
    return failed(Code::limit, "device " + device.device.hex(),
                  "brings " + std::to_string(device.slots.size()) + " key slots, not 1 to 4");
  CB_TRY(check_slots_of(record, device));
  if (device.record.size() <= kLongestCertificate) return {};
  return failed(Code::limit, "device " + device.device.hex(), "has too long a certificate");
}

Status V4Migration::spend_token(const V4MigrationWish& wish,
                                const repository::DeviceId& device) const {
  if (!wish.token) return {};
  catalog::Accounts& accounts = parts_.catalog->accounts();
  CB_ASSIGN(const auto token, accounts.token_by_id(*wish.token));
  // Its answer may have been lost, or the server's power.
  if (token && token->used_by == device.bytes) return {};
  return accounts.use_token(*wish.token, device.bytes, now());
}

// In an order in which a crash anywhere lets the same device come again; the device's row is what
// makes it an owner.
Status V4Migration::install(const V4Candidate& candidate, const catalog::Account& account,
                            const repository::RepositoryId& repository,
                            const V4NewDevice& device) const {
  CB_TRY(spend_token(candidate.wish, device.device));
  for (const KeySlot& slot : device.slots) CB_TRY(parts_.engine->add_slot(repository, slot));
  CB_TRY(parts_.engine->add_certificate(repository, device.certificate));
  catalog::Accounts& accounts = parts_.catalog->accounts();
  CB_TRY(accounts.set_account_kind(account.number, catalog::AccountKind::v4));
  CB_TRY(unless_there(accounts.add_device(row_of(account, device, now()))));
  return parts_.notes->keep(account.number);
}

Result<bool> V4Migration::settle(const std::string& account) const {
  const std::optional<ClientId> client = V3Keys::client_of(account);
  if (!client) return false;
  CB_ASSIGN(const auto known, parts_.catalog->client_by_id(*client));
  if (!known) return false;
  CB_ASSIGN(const catalog::LegacyPolicy policy, parts_.catalog->legacy_policy(*client));
  if (policy.migrated_ns != 0) return false;
  CB_ASSIGN(const auto there, parts_.catalog->accounts().account_by_name(account));
  if (!there) return false;
  CB_ASSIGN(const auto repository, parts_.engine->of_account(account));
  if (!repository) return false;
  CB_ASSIGN(const auto slots, parts_.engine->slots(*repository));
  if (slots.empty() || std::any_of(slots.begin(), slots.end(), is_servers)) return false;
  CB_TRY(parts_.catalog->take_over_legacy(*client, now()));
  CB_TRY(parts_.keys->keep_note(*client));
  return true;
}

Result<uint64_t> V4Migration::settle_all() const {
  CB_ASSIGN(const auto clients, parts_.catalog->clients());
  uint64_t settled = 0;
  for (const LegacyClient& client : clients) {
    // What cannot be done for one must not keep the others out; the next start tries again.
    const auto done = settle(V3Keys::account_of(client.id));
    if (done && *done) ++settled;
  }
  return settled;
}

}  // namespace cb::server
