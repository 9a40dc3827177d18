// SPDX-License-Identifier: Apache-2.0
//
// What a v4 session answers to a client of protocol v3 that wants to be the owner of its account.
// All on workers.
#include "core/protocol/v4/messages.h"
#include "core/server/v4_message.h"
#include "core/server/v4_session.h"

namespace cb::server {
namespace {

using v4::Response;

constexpr size_t kMostNewSlots = 8;

Result<V4MigrationWish> wish_of(v4::pb::Migrate& message) {
  V4MigrationWish wish;
  CB_ASSIGN(wish.client, v4::id_of<ClientId>(message.client()));
  wish.name = message.name();
  if (message.token_id().empty()) return wish;
  CB_ASSIGN(wish.token, v4::array_of<16>(message.token_id()));
  wish.token_secret = take_secret(*message.mutable_token_secret());
  return wish;
}

std::string subject_of(const ClientId& client) { return "client " + client.hex(); }

}  // namespace

Result<V4Session::Answer> V4Session::migrate(const Bytes& message) {
  CB_ASSIGN(auto said, v4::parse<v4::pb::Migrate>(message));
  CB_ASSIGN(V4MigrationWish wish, wish_of(said));
  const std::string subject = subject_of(wish.client);
  CB_ASSIGN(candidate_, proved(subject, shared_.migration->begin(std::move(wish))));
  CB_ASSIGN(const V4Challenge challenge, shared_.migration->challenge(*candidate_));
  v4::pb::MigrateReply reply;
  reply.set_wrapped(v4::field_of(challenge.wrapped));
  reply.set_sealed(v4::field_of(challenge.sealed));
  return Answer{Response::migrate, v4::encode(reply)};
}

Result<V4Session::Answer> V4Session::prove_key(const Bytes& message) {
  CB_ASSIGN(const auto said, v4::parse<v4::pb::ProveKey>(message));
  if (!candidate_) return failed(Code::state, "request", "proves what nobody asked for");
  // The client stands where a device does in a login.
  const ClientId& client = candidate_->client.id;
  CB_ASSIGN(const Bytes signed_bytes, statement(repository::DeviceId{client.bytes}));
  CB_ASSIGN(const V4Handover handover,
            proved(subject_of(client), shared_.migration->hand_over(
                                           *candidate_, v4::view_of(said.proof()), signed_bytes)));
  v4::pb::ProveKeyReply reply;
  reply.set_account(handover.account);
  reply.set_repository(v4::field_of(repository::encode(handover.record)));
  reply.set_keyring(v4::field_of(handover.keyring.view()));
  reply.set_server_slot(v4::field_of(handover.server_slot.view()));
  Answer answer{Response::prove_key, v4::encode(reply)};
  wipe_field(*reply.mutable_keyring());
  return answer;
}

Result<V4Session::Answer> V4Session::adopt(const Bytes& message) {
  CB_ASSIGN(const auto said, v4::parse<v4::pb::Adopt>(message));
  if (!candidate_ || !candidate_->proved)
    return failed(Code::state, "request", "wants an account without a proof");
  CB_ASSIGN(const V4NewDevice device, new_device_of(said, kMostNewSlots));
  CB_ASSIGN(const auto signature, v4::array_of<repository::kSignatureSize>(said.signature()));
  CB_ASSIGN(const Bytes signed_bytes, statement(device.device));
  CB_ASSIGN(V4Member member,
            proved(subject_of(candidate_->client.id),
                   shared_.migration->adopt(*candidate_, device, signed_bytes, signature)));
  candidate_.reset();
  CB_TRY(enter(std::move(member)));
  v4::pb::EnrollReply reply;
  reply.set_account(member_->account.name);
  return Answer{Response::enroll, v4::encode(reply)};
}

}  // namespace cb::server
