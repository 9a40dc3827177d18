// SPDX-License-Identifier: Apache-2.0
//
// What a v4 session answers about devices, invites, the repository record and key slots. All on
// workers.
#include "core/server/v4_message.h"
#include "core/server/v4_session.h"

namespace cb::server {
namespace {

using v4::Response;

Bytes done() { return v4::encode(v4::pb::Done()); }

}  // namespace

Status V4Session::add_devices(int64_t account, v4::pb::DevicesReply& reply) const {
  shared_.parts.seen->flush();
  CB_ASSIGN(const auto devices, shared_.parts.accounts->devices(account));
  for (const catalog::Device& device : devices) {
    auto* info = reply.add_devices();
    info->set_certificate(v4::field_of(device.certificate));
    info->set_state(static_cast<uint32_t>(device.state));
    info->set_last_seen_ns(device.last_seen_ns);
    info->set_sessions(shared_.running->count(repository::DeviceId{device.id}));
  }
  return {};
}

Result<V4Session::Answer> V4Session::devices() {
  CB_ASSIGN(const auto invites, shared_.parts.accounts->invites(member_->account.number));
  v4::pb::DevicesReply reply;
  CB_TRY(add_devices(member_->account.number, reply));
  for (const catalog::InviteRow& invite : invites) {
    auto* info = reply.add_invites();
    info->set_invite(v4::field_of(invite.record));
    if (invite.used_by) info->set_used_by(v4::field_of(*invite.used_by));
  }
  return Answer{Response::devices, v4::encode(reply)};
}

Result<V4Session::Answer> V4Session::add_invite(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::AddInvite>(message));
  repository::NewInvite invite;
  invite.record = to_bytes(v4::view_of(said.invite()));
  CB_ASSIGN(invite.proof_hash, v4::array_of<32>(said.proof_hash()));
  invite.sealed_keys = to_bytes(v4::view_of(said.sealed_keys()));
  CB_ASSIGN(const repository::Invite decoded, repository::decode_invite(invite.record));
  CB_TRY(shared_.owners->add_invite(*member_, invite));
  audit("v4.invite.added", "invite", decoded.id.hex());
  return Answer{Response::done, done()};
}

Result<V4Session::Answer> V4Session::remove_invite(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::RemoveInvite>(message));
  CB_ASSIGN(const auto invite, v4::id_of<repository::InviteId>(said.invite()));
  CB_TRY(shared_.owners->remove_invite(*member_, invite));
  audit("v4.invite.removed", "invite", invite.hex());
  return Answer{Response::done, done()};
}

Result<V4Session::Answer> V4Session::set_device(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::SetDevice>(message));
  CB_ASSIGN(const auto device, v4::id_of<repository::DeviceId>(said.device()));
  if (said.state() > 1)
    return failed(Code::invalid, "device " + device.hex(),
                  "is disabled (1) or enabled (0) like this",
                  "to revoke it the owner signs another repository record");
  const auto state = static_cast<catalog::DeviceState>(said.state());
  CB_TRY(shared_.owners->set_device(*member_, device, state));
  audit(state == catalog::DeviceState::active ? "v4.device.enabled" : "v4.device.disabled",
        "device", device.hex());
  return Answer{Response::done, done()};
}

Result<V4Session::Answer> V4Session::put_record(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::PutRecord>(message));
  CB_ASSIGN(const auto record, repository::decode_repository(v4::view_of(said.repository())));
  std::optional<std::vector<repository::KeySlot>> slots;
  if (said.replaces_slots()) {
    CB_ASSIGN(slots, slots_of(said.slots(), kMostSlots));
  }
  CB_ASSIGN(const size_t revoked, shared_.owners->put_record(*member_, record, std::move(slots)));
  audit("v4.record.put", "change",
        "revision " + std::to_string(record.revision) + ", epoch " +
            std::to_string(record.epochs.back().number) + ", " + std::to_string(revoked) +
            " devices revoked");
  CB_ASSIGN(const bool settled, shared_.migration->settle(member_->account.name));
  if (settled) audit("v4.migration.finished", "repository", member_->repository.hex());
  return Answer{Response::done, done()};
}

Result<V4Session::Answer> V4Session::add_slot(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::AddSlot>(message));
  CB_ASSIGN(const repository::KeySlot slot, repository::decode_slot(v4::view_of(said.slot())));
  CB_TRY(shared_.owners->add_slot(*member_, slot));
  audit("v4.slot.added", "slot", slot.id.hex());
  return Answer{Response::done, done()};
}

Result<V4Session::Answer> V4Session::remove_slot(const Bytes& message) {
  CB_ASSIGN(const auto said, read_message<v4::pb::RemoveSlot>(message));
  CB_ASSIGN(const auto id, v4::id_of<repository::SlotId>(said.slot()));
  CB_TRY(shared_.owners->remove_slot(*member_, id));
  audit("v4.slot.removed", "slot", id.hex());
  return Answer{Response::done, done()};
}

}  // namespace cb::server
