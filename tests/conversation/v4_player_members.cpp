// SPDX-License-Identifier: Apache-2.0
//
// What a player asks of protocol v4 beside blobs and snapshots: devices, invites, slots, rules and
// what strangers say.
#include <algorithm>

#include "core/repository/drill_record.h"
#include "tests/conversation/v4_player.h"

namespace cb::conversation {
namespace {

using server::V4Invited;
using server::V4Owner;
using v4::Request;

}  // namespace

void V4Player::play_members(const Step& step) {
  switch (static_cast<Kind>(step.kind % kinds)) {
    case plain:
      return do_plain(step);
    case snapshots: {
      v4::pb::Snapshots message;
      message.set_with_trash(step.a % 2 == 1);
      message.set_with_kept(step.a / 2 % 2 == 1);
      talk().request(Request::snapshots, message);
      return;
    }
    case forget:
      return do_wish(step);
   case slots:
      return do_slots(step);
    case retention:
      return do_retention(step);
    case set_device:
      return do_device(step);
    case invite:
      return do_invite(step);
    case put_record:
      return do_record(step);
    case verified:
      return do_verified(step);
    case sessions:
      return do_sessions(step);
    case drill:
      return do_drill(step);
    case stranger:
      return do_stranger(step);
    default:
      return do_message(step);
  }
}

// A request that has nothing but a number, as field 1.
void V4Player::do_plain(const Step& step) {
  constexpr Request kRequests[] = {
      Request::heartbeat, Request::flush,    Request::slots,      Request::counts,
      Request::devices,   Request::sessions, Request::chain,      Request::copies,
      Request::retention, Request::wanted,   Request::signatures, Request::replica_accounts};
  v4::pb::Chain message;
  message.set_sequence(step.x);
  const Request request = kRequests[(step.a + step.b * 8U) % std::size(kRequests)];
  const bool has_number = request == Request::chain || request == Request::copies ||
                          request == Request::signatures || request == Request::sessions;
  talk().request(request, has_number ? v4::encode(message) : Bytes());
}

void V4Player::do_slots(const Step& step) {
  if (step.a % 2 == 1) {
    v4::pb::RemoveSlot message;
    const repository::SlotId id =
        step.b % 2 == 0 ? account_.owner.slot.id : world_.stranger().owner.slot.id;
    message.set_slot(v4::field_of(id.view()));
    talk().request(Request::remove_slot, message);
    return;
  }
  repository::KeySlot slot = server::signed_slot(account_.owner);
  if (step.b % 4 == 1) slot.signature[step.c % 64] ^= std::byte{1};
  if (step.b % 4 == 2) slot.sealed.resize(step.x % 8192);
  if (step.b % 4 == 3) slot = account_.owner.slot;
  v4::pb::AddSlot message;
  message.set_slot(v4::field_of(repository::encode(slot)));
  talk().request(Request::add_slot, message);
}

void V4Player::do_retention(const Step& step) {
  constexpr const char* kRules[] = {"keep-all", "keep-last 1", "keep-daily 7, trash-stay 1h",
                                    "keep-within 1d, cadence 1m", ""};
  v4::pb::SetRetention message;
  message.set_rules(step.has_bytes ? std::string(as_text(step.bytes)) : kRules[step.a % 5]);
  if (step.b % 4 == 1) message.set_source(std::string(48, 's'));
  if (step.b % 4 == 2) message.set_source("short");
  talk().request(Request::set_retention, message);
}

void V4Player::do_device(const Step& step) {
  v4::pb::SetDevice message;
  message.set_device(v4::field_of(device(step.a).device.view()));
  message.set_state(step.b % 4);
  talk().request(Request::set_device, message);
}

void V4Player::make_invite(const Step& step) {
  invited_ = V4Invited::make(account_.owner, static_cast<repository::Role>(1 + step.x % 3),
                             step.x / 3 % 2);
  const int64_t now = server_.clock().wall().count();
  invited_->invite.created_ns = now;
  invited_->invite.expires_ns = now + (step.b % 8 == 1 ? -1 : 3'600'000'000'000);
  invited_->sign(account_.owner);
  const bool is_owner = invited_->invite.role == repository::Role::owner;
  if (step.b % 8 == 2) invited_->invite.signature[0] ^= std::byte{1};
  if (step.b % 8 == 3) invited_->proof[0] ^= std::byte{1};
  if (step.b % 8 == 4) invited_->certificate.role = repository::Role::owner;
  may_join_ = step.b % 8 != 1 && step.b % 8 != 2 && (step.b % 8 != 4 || is_owner);
}

void V4Player::do_invite(const Step& step) {
  if (!invited_ || step.c % 8 == 1) make_invite(step);
  v4::pb::RemoveInvite remove;
  remove.set_invite(v4::field_of(invited_->invite.id.view()));
  switch (step.a % 4) {
    case 0:
      talk().request(Request::add_invite, invited_->add_invite());
      return;
    case 1:
      talk().request(Request::remove_invite, remove);
      return;
    case 2:
      talk().request(Request::open_invite, invited_->open_invite());
      return;
    default:
      break;
  }
  const uint32_t id =
      talk().request(Request::join, invited_->join(talk().statement(invited_->device)));
  if (may_join_) talk().expect_standing(id, v4::standing_of(invited_->certificate.role));
}

void V4Player::do_record(const Step& step) {
  std::vector<repository::Revocation> revoked;
  if (step.a % 8 != 0) revoked.push_back(server::revocation(device(step.a).device.view()));
  repository::RepositoryRecord next = server::next_record(account_.owner, revoked);
  if (step.b % 6 == 1) next.signature[step.c % 64] ^= std::byte{1};
  if (step.b % 6 == 2) next.revision = step.x;
  if (step.b % 6 == 3) next.id = world_.stranger().owner.record.id;
  if (step.b % 6 == 4) next.epochs.front().public_half.back() ^= std::byte{1};
  if (step.b % 6 >= 2 && step.b % 6 <= 4) server::sign_record(account_.owner, next);
  v4::pb::PutRecord message = server::put_record(next);
  message.set_replaces_slots(step.y % 4 == 1);
  if (step.y % 4 == 1)
    message.add_slots(v4::field_of(repository::encode(server::signed_slot(account_.owner))));
  talk().request(Request::put_record, message);
}

void V4Player::do_verified(const Step& step) {
  v4::pb::Verified message;
  message.set_device(v4::field_of(device(step.a).device.view()));
  message.set_ids(ids_of(step.x, step.c));
  message.set_bad(step.b % 2 == 1);
  if (message.bad()) was_condemned_ = true;
  talk().request(Request::verified, message);
}

void V4Player::do_sessions(const Step& step) {
  v4::pb::PutSessions message;
  for (unsigned i = 0; i < step.a % 4U; ++i) {
    repository::SessionRecord record;
    record.epoch = step.x;
    record.kem_cipher = Bytes(64, std::byte{3});
    record.wrapped = Bytes(step.y % 100, std::byte{4});
    repository::SessionId session;
    const auto id = planned_id(salt(), i % 2);
    std::copy_n(id.bytes.begin(), session.bytes.size(), session.bytes.begin());
    record.signature = must(account_.owner.root.sign(
        repository::signed_part(record, account_.owner.record.id, session)));
    if (step.b % 2 == 1) record.signature[3] ^= std::byte{1};
    auto* info = message.add_sessions();
    info->set_session(v4::field_of(session.view()));
    info->set_record(v4::field_of(repository::encode(record)));
  }
  // What a session's blob says is then another record.
  was_spoilt_ = true;
  talk().request(Request::put_sessions, message);
}

void V4Player::do_drill(const Step& step) {
  const V4Owner& who = device(step.b % 4);
  const int64_t now = server_.clock().wall().count();
  repository::DrillRecord record;
  record.device = who.device;
  record.begun_ns = now - step.x;
  record.ended_ns = step.a % 8 == 1 ? now + 172'800'000'000'000 : now;
  record.snapshots = {planned_id(salt(), kFirstSnapshot + step.c % 3)};
  record.files_listed = record.files = step.x;
  record.problems = step.y;
  must(repository::sign_drill(record, account_.owner.record.id,
                              [&](ByteView message) { return who.key.sign(message); }));
  if (step.a % 8 == 2) record.signature[0] ^= std::byte{1};
  v4::pb::DrillResult message;
  message.set_record(v4::field_of(repository::encode(record)));
  talk().request(Request::drill_result, message);
}

void V4Player::do_stranger(const Step& step) {
  const V4Owner& owner = device(step.b % 4);
  if (step.a % 5 == 0) {
    v4::pb::Migrate message;
    message.set_client(std::string(16, static_cast<char>(step.x)));
    message.set_name(std::string(as_text(step.bytes)));
    talk().request(Request::migrate, message);
  } else if (step.a % 5 == 1) {
    v4::pb::ProveKey message;
    message.set_proof(std::string(32, 'p'));
    talk().request(Request::prove_key, message);
  } else if (step.a % 5 == 2) {
    v4::pb::ReplicaLogin message;
    message.set_token_id(std::string(16, 't'));
    message.set_token_secret(std::string(32, 's'));
    talk().request(Request::replica_login, message);
  } else if (step.a % 5 == 3) {
    v4::pb::Adopt message;
    message.set_certificate(v4::field_of(repository::encode(owner.certificate)));
    message.set_signature(v4::field_of(must(owner.key.sign(talk().statement(owner.device)))));
    talk().request(Request::adopt, message);
  } else {
    v4::pb::Enroll message;
    message.set_token_id(std::string(16, 't'));
    message.set_token_secret(std::string(32, 's'));
    message.set_repository(v4::field_of(repository::encode(owner.record)));
    message.set_certificate(v4::field_of(repository::encode(owner.certificate)));
    message.add_slots(v4::field_of(repository::encode(owner.slot)));
    message.set_signature(v4::field_of(must(owner.key.sign(talk().statement(owner.device)))));
    talk().request(Request::enroll, message);
  }
}

// Any bytes as the message of any request.
void V4Player::do_message(const Step& step) {
  was_spoilt_ = true;
  was_condemned_ = true;
  const size_t at = (step.a + step.b * 8U) % std::size(v4::kPrivileges);
  talk().request(v4::kPrivileges[at].request, step.bytes, Bytes(step.c % 4 == 3 ? step.x % 999 : 0),
                 step.y);
}

}  // namespace cb::conversation
