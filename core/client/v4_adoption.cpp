// SPDX-License-Identifier: Apache-2.0
#include "core/client/v4_adoption.h"

#include "core/client/v4_conversation.h"
#include "core/protocol/v4/channel.h"
#include "core/repository/signatures.h"

namespace cb::client {
namespace {

// Ids of requests; the hello was 1.
constexpr uint32_t kMigrate = 2;
constexpr uint32_t kProve = 3;
constexpr uint32_t kAdopt = 4;
constexpr size_t kChallengeSize = 32;

Bytes migrate_message(const AdoptionClaim& claim) {
  v4::pb::Migrate message;
  message.set_client(v4::field_of(claim.client.view()));
  message.set_name(claim.name);
  if (claim.token) {
    message.set_token_id(v4::field_of(claim.token->id.view()));
    message.set_token_secret(v4::field_of(claim.token->secret.view()));
  }
  return v4::encode(message);
}

Error not_our_key(const AdoptionClaim& claim) {
  return fail(Code::denied, "client " + v4::clean_text(claim.name, 100),
              "has another key at the server than in its folder",
              "use the folder of the client that uploaded last; without that key only the server's "
              "operator has the files: cyberbackupd legacy export");
}

// What the client's key opens, as an upload of protocol v3 is opened.
Result<Secret> open_challenge(const AdoptionClaim& claim, const v4::pb::MigrateReply& reply) {
  const auto key = claim.keys->unwrap(v4::view_of(reply.wrapped()));
  if (!key) return failed(not_our_key(claim));
  CB_ASSIGN(plugin::Open open, key->open({}, {}));
  Secret challenge(reply.sealed().size());
  const auto size = open.chunk(0, true, v4::view_of(reply.sealed()), challenge.span());
  if (!size || *size != kChallengeSize) return failed(not_our_key(claim));
  challenge.truncate(*size);
  return challenge;
}

Result<HandedOver> handed_over(v4::pb::ProveKeyReply& reply) {
  HandedOver handed;
  handed.account = v4::clean_text(reply.account(), 256);
  CB_ASSIGN(handed.record, repository::decode_repository(v4::view_of(reply.repository())));
  CB_TRY(check_record(handed.record, handed.record.id, handed.record.root));
  auto keyring = repository::decode_keyring(v4::view_of(reply.keyring()));
  wipe(std::as_writable_bytes(std::span(*reply.mutable_keyring())));
  if (!keyring) return failed(std::move(keyring).error());
  handed.keyring = std::move(*keyring);
  CB_ASSIGN(handed.server_slot, v4::id_of<repository::SlotId>(reply.server_slot()));
  return handed;
}

stream::Task<HandedOver> say_migrate(V4Greeting& greeting, const AdoptionClaim& claim,
                                     const V4Limits& limits) {
  CB_CO_ASSIGN(const Bytes first,
               co_await ask_once(*greeting.wire, v4::Request::migrate, kMigrate,
                                 migrate_message(claim), v4::Response::migrate, limits.login));
  CB_CO_ASSIGN(const auto challenged, v4::parse<v4::pb::MigrateReply>(first));
  CB_CO_ASSIGN(const Secret challenge, open_challenge(claim, challenged));
  // The client stands where a device does in a login.
  CB_CO_ASSIGN(const Bytes statement,
               statement_of(greeting, repository::DeviceId{claim.client.bytes}));
  v4::pb::ProveKey message;
  message.set_proof(v4::field_of(v4::migration_proof(statement, challenge.view())));
  CB_CO_ASSIGN(Bytes second,
               co_await ask_once(*greeting.wire, v4::Request::prove_key, kProve,
                                 v4::encode(message), v4::Response::prove_key, limits.login));
  auto reply = v4::parse<v4::pb::ProveKeyReply>(second);
  wipe(second);
  if (!reply) co_return failed(std::move(reply).error());
  co_return handed_over(*reply);
}

stream::Task<V4Welcome> say_adopt(V4Greeting& greeting, const NewDevice& device,
                                  const V4Limits& limits) {
  CB_CO_ASSIGN(V4Welcome welcome, welcome_of(greeting));
  CB_CO_ASSIGN(const Bytes statement, statement_of(greeting, device.device));
  CB_CO_ASSIGN(const repository::Signature signature, device.sign(statement));
  v4::pb::Adopt message;
  message.set_certificate(v4::field_of(device.certificate));
  for (const Bytes& slot : device.slots) message.add_slots(v4::field_of(slot));
  message.set_signature(v4::field_of(signature));
  CB_CO_ASSIGN(const Bytes answer,
               co_await ask_once(*greeting.wire, v4::Request::adopt, kAdopt, v4::encode(message),
                                 v4::Response::enroll, limits.login));
  CB_CO_ASSIGN(const auto reply, v4::parse<v4::pb::EnrollReply>(answer));
  welcome.account = v4::clean_text(reply.account(), 256);
  co_return welcome;
}

stream::Task<V4Welcome> say_all(V4Greeting& greeting, const AdoptionClaim& claim,
                                const MakeOwner& make_owner, const V4Limits& limits) {
  CB_CO_ASSIGN(const HandedOver handed, co_await say_migrate(greeting, claim, limits));
  CB_CO_ASSIGN(const NewDevice device, make_owner(handed));
  CB_CO_ASSIGN(V4Welcome welcome, co_await say_adopt(greeting, device, limits));
  welcome.record = handed.record;
  co_return welcome;
}

}  // namespace

Result<V4Welcome> adopt(const stream::Stack& stack, const stream::Target& target,
                        const AdoptionClaim& claim, const MakeOwner& make_owner,
                        const V4Limits& limits) {
  return converse<V4Welcome>(stack, target, limits, [&](V4Greeting& greeting) {
    return say_all(greeting, claim, make_owner, limits);
  });
}

}  // namespace cb::client
