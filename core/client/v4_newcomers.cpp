// SPDX-License-Identifier: Apache-2.0
//
// Conversations of who has no device here yet: an invite, joining, a person's password.
#include "core/client/v4_conversation.h"
#include "core/repository/signatures.h"

namespace cb::client {
namespace {

constexpr uint32_t kFirst = 2;  // ids of requests; the hello was 1
constexpr uint32_t kSecond = 3;

Result<OpenedInvite> opened_of(const v4::pb::OpenInviteReply& reply, const InviteProof& proof) {
  OpenedInvite opened;
  opened.account = v4::clean_text(reply.account(), 256);
  CB_ASSIGN(opened.record, repository::decode_repository(v4::view_of(reply.repository())));
  CB_TRY(check_record(opened.record, proof.repository, proof.root));
  CB_ASSIGN(opened.invite, repository::decode_invite(v4::view_of(reply.invite())));
  const Bytes said = repository::signed_part(opened.invite, proof.repository);
  if (opened.invite.id != proof.invite ||
      !identity::verify(proof.root, said, opened.invite.signature))
    return failed(impostor("invite " + proof.invite.hex(), "is not one that the owner made"));
  opened.sealed_keys = to_bytes(v4::view_of(reply.sealed_keys()));
  return opened;
}

stream::Task<OpenedInvite> say_open(V4Greeting& greeting, const InviteProof& proof,
                                    const V4Limits& limits) {
  v4::pb::OpenInvite message;
  message.set_invite(v4::field_of(proof.invite.view()));
  message.set_proof(v4::field_of(proof.proof.view()));
  CB_CO_ASSIGN(const Bytes answer,
               co_await ask_once(*greeting.wire, v4::Request::open_invite, kFirst,
                                 v4::encode(message), v4::Response::open_invite, limits.login));
  CB_CO_ASSIGN(const auto reply, v4::parse<v4::pb::OpenInviteReply>(answer));
  co_return opened_of(reply, proof);
}

stream::Task<V4Welcome> say_join(V4Greeting& greeting, const InviteProof& proof,
                                 const NewDevice& device, const V4Limits& limits) {
  CB_CO_ASSIGN(V4Welcome welcome, welcome_of(greeting));
  CB_CO_ASSIGN(const Bytes statement, statement_of(greeting, device.device));
  CB_CO_ASSIGN(const repository::Signature signature, device.sign(statement));
  v4::pb::Join message;
  message.set_invite(v4::field_of(proof.invite.view()));
  message.set_proof(v4::field_of(proof.proof.view()));
  message.set_certificate(v4::field_of(device.certificate));
  for (const Bytes& slot : device.slots) message.add_slots(v4::field_of(slot));
  message.set_signature(v4::field_of(signature));
  CB_CO_ASSIGN(const Bytes answer,
               co_await ask_once(*greeting.wire, v4::Request::join, kFirst, v4::encode(message),
                                 v4::Response::enroll, limits.login));
  CB_CO_ASSIGN(const auto reply, v4::parse<v4::pb::EnrollReply>(answer));
  welcome.account = v4::clean_text(reply.account(), 256);
  co_return welcome;
}

struct PersonEntered {
  repository::RepositoryRecord record;
  std::string chain_key;  // as the answer has it
};

stream::Task<PersonEntered> say_password(V4Greeting& greeting, const PersonRemote::Parts& parts) {
  v4::pb::PasswordLogin message;
  message.set_account(parts.account);
  message.set_password(v4::field_of(parts.password.view()));
  CB_CO_ASSIGN(
      const Bytes answer,
      co_await ask_once(*greeting.wire, v4::Request::password_login, kFirst, v4::encode(message),
                        v4::Response::password_login, parts.limits.login));
  CB_CO_ASSIGN(const auto reply, v4::parse<v4::pb::PasswordLoginReply>(answer));
  CB_CO_ASSIGN(auto record, repository::decode_repository(v4::view_of(reply.repository())));
  CB_CO_TRY(check_record(record, record.id, record.root));
  co_return PersonEntered{std::move(record), reply.chain_key()};
}

struct PersonFound {
  repository::RepositoryRecord record;
  std::vector<repository::KeySlot> slots;
};

stream::Task<PersonFound> say_slots(V4Greeting& greeting, const PersonRemote::Parts& parts) {
  PersonFound found;
  CB_CO_ASSIGN(PersonEntered entered, co_await say_password(greeting, parts));
  found.record = std::move(entered.record);
  CB_CO_ASSIGN(const Bytes answer,
               co_await ask_once(*greeting.wire, v4::Request::slots, kSecond, Bytes(),
                                 v4::Response::slots, parts.limits.login));
  CB_CO_ASSIGN(const auto reply, v4::parse<v4::pb::SlotsReply>(answer));
  for (const std::string& one : reply.slots()) {
    CB_CO_ASSIGN(repository::KeySlot slot, repository::decode_slot(v4::view_of(one)));
    found.slots.push_back(std::move(slot));
  }
  co_return found;
}

stream::Task<V4Welcome> say_add(V4Greeting& greeting, const PersonRemote::Parts& parts,
                                const NewDevice& device) {
  CB_CO_ASSIGN(V4Welcome welcome, welcome_of(greeting));
  CB_CO_ASSIGN(PersonEntered entered, co_await say_password(greeting, parts));
  welcome.record = std::move(entered.record);
  CB_CO_TRY(take_chain_key(entered.chain_key, welcome));
  CB_CO_ASSIGN(const Bytes statement, statement_of(greeting, device.device));
  CB_CO_ASSIGN(const repository::Signature signature, device.sign(statement));
  v4::pb::AddDevice message;
  message.set_certificate(v4::field_of(device.certificate));
  for (const Bytes& slot : device.slots) message.add_slots(v4::field_of(slot));
  message.set_signature(v4::field_of(signature));
  CB_CO_TRY(co_await ask_once(*greeting.wire, v4::Request::add_device, kSecond, v4::encode(message),
                              v4::Response::done, parts.limits.login));
  welcome.account = parts.account;
  co_return welcome;
}

}  // namespace

Result<OpenedInvite> open_invite(const stream::Stack& stack, const stream::Target& target,
                                 const InviteProof& proof, const V4Limits& limits) {
  return converse<OpenedInvite>(stack, target, limits, [&](V4Greeting& greeting) {
    return say_open(greeting, proof, limits);
  });
}

Result<V4Welcome> join(const stream::Stack& stack, const stream::Target& target,
                       const InviteProof& proof, const OpenedInvite& opened,
                       const NewDevice& device, const V4Limits& limits) {
  CB_ASSIGN(V4Welcome welcome,
            converse<V4Welcome>(stack, target, limits, [&](V4Greeting& greeting) {
              return say_join(greeting, proof, device, limits);
            }));
  welcome.record = opened.record;
  return welcome;
}

Result<std::unique_ptr<PersonRemote>> PersonRemote::open(Parts parts) {
  auto person = std::unique_ptr<PersonRemote>(new PersonRemote(std::move(parts)));
  const Parts& used = person->parts_;
  CB_ASSIGN(PersonFound found,
            converse<PersonFound>(used.stack, used.target, used.limits,
                                  [&](V4Greeting& greeting) { return say_slots(greeting, used); }));
  person->record_ = std::move(found.record);
  person->slots_ = std::move(found.slots);
  return person;
}

Result<V4Welcome> PersonRemote::add_device(const NewDevice& device) {
  CB_ASSIGN(V4Welcome welcome, converse<V4Welcome>(parts_.stack, parts_.target, parts_.limits,
                                                   [&](V4Greeting& greeting) {
                                                     return say_add(greeting, parts_, device);
                                                   }));
  if (welcome.record.id == record_.id && welcome.record.root == record_.root) return welcome;
  return failed(impostor("repository " + welcome.record.id.hex(), "is another one than before"));
}

}  // namespace cb::client
