// SPDX-License-Identifier: Apache-2.0
//
// What a v4 session answers to who has no device here yet: invites, joining, a person's password.
// All on workers.
#include "core/server/v4_message.h"
#include "core/server/v4_session.h"

namespace cb::server {
namespace {

using v4::Response;

constexpr size_t kLongestAccount = 64;
constexpr size_t kMostNewSlots = 8;

}  // namespace

Result<V4Session::Answer> V4Session::open_invite(const Bytes& message) {
  CB_ASSIGN(auto said, v4::parse<v4::pb::OpenInvite>(message));
  CB_ASSIGN(const auto invite, v4::id_of<repository::InviteId>(said.invite()));
  const Secret proof = take_secret(*said.mutable_proof());
  CB_ASSIGN(const V4Opened opened,
            proved("invite " + invite.hex(), shared_.joining->open(invite, proof.view())));
  v4::pb::OpenInviteReply reply;
  reply.set_account(opened.account);
  reply.set_repository(v4::field_of(repository::encode(opened.record)));
  reply.set_invite(v4::field_of(opened.invite.record));
  reply.set_sealed_keys(v4::field_of(opened.invite.sealed_keys));
  return Answer{Response::open_invite, v4::encode(reply)};
}

Result<V4Session::Answer> V4Session::join(const Bytes& message) {
  CB_ASSIGN(auto said, v4::parse<v4::pb::Join>(message));
  CB_ASSIGN(const auto invite, v4::id_of<repository::InviteId>(said.invite()));
  const Secret proof = take_secret(*said.mutable_proof());
  CB_ASSIGN(const V4NewDevice device, new_device_of(said, kMostNewSlots));
  CB_ASSIGN(const auto signature, v4::array_of<repository::kSignatureSize>(said.signature()));
  CB_ASSIGN(const Bytes signed_bytes, statement(device.device));
  CB_ASSIGN(V4Member member,
            proved("invite " + invite.hex(),
                   shared_.joining->join(invite, proof.view(), device, signed_bytes, signature)));
  CB_TRY(enter(std::move(member)));
  v4::pb::EnrollReply reply;
  reply.set_account(member_->account.name);
  return Answer{Response::enroll, v4::encode(reply)};
}

// The wait comes before the look: a password can be guessed.
Result<V4Session::Answer> V4Session::password_login(const Bytes& message) {
  CB_ASSIGN(auto said, v4::parse<v4::pb::PasswordLogin>(message));
  const Secret password = take_secret(*said.mutable_password());
  const std::string account = said.account().substr(0, kLongestAccount);
  CB_ASSIGN(const V4Guard::Place place, shared_.guard->begin_password(account, network_));
  CB_ASSIGN(V4Member member, shared_.joining->person(account, password));
  shared_.guard->password_was_right(account, network_);
  CB_TRY(enter(std::move(member)));
  CB_ASSIGN(const auto record, shared_.parts.engine->record(member_->repository));
  v4::pb::PasswordLoginReply reply;
  reply.set_repository(v4::field_of(repository::encode(record)));
  if (member_->origin) reply.set_chain_key(v4::field_of(member_->origin->server_key));
  return Answer{Response::password_login, v4::encode(reply)};
}

Result<V4Session::Answer> V4Session::add_device(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::AddDevice>(message));
  CB_ASSIGN(const V4NewDevice device, new_device_of(said, kMostNewSlots));
  CB_ASSIGN(const auto signature, v4::array_of<repository::kSignatureSize>(said.signature()));
  CB_ASSIGN(const Bytes signed_bytes, statement(device.device));
  const bool is_person = member_->device.is_zero();
  if (is_person && added_)
    return failed(Code::denied, "device " + device.device.hex(), "is the second of this session",
                  "log in again");
  CB_TRY(shared_.joining->add(*member_, device, signed_bytes, signature));
  added_ = true;
  audit("v4.device.added", "device", device.device.hex());
  return Answer{Response::done, v4::encode(v4::pb::Done())};
}

}  // namespace cb::server
