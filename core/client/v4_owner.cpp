// SPDX-License-Identifier: Apache-2.0
//
// What an owner's device asks for over a v4 session, and the chain of commits.
#include <algorithm>

#include "core/client/v4_session_state.h"

namespace cb::client {

using repository::BlobId;
using repository::DeviceId;

namespace {

Result<repository::DeviceEntry> device_of(const v4::pb::DeviceInfo& info) {
  repository::DeviceEntry entry;
  CB_ASSIGN(entry.certificate, repository::decode_certificate(v4::view_of(info.certificate())));
  if (info.state() > 2) return failed(Code::corrupt, "device", "is in no state that there is");
  entry.state = info.state();
  entry.last_seen_ns = info.last_seen_ns();
  entry.sessions = info.sessions();
  return entry;
}

Result<repository::InviteEntry> invite_of(const v4::pb::InviteInfo& info) {
  repository::InviteEntry entry;
  CB_ASSIGN(entry.invite, repository::decode_invite(v4::view_of(info.invite())));
  if (info.used_by().empty()) return entry;
  CB_ASSIGN(entry.used_by, v4::id_of<DeviceId>(info.used_by()));
  return entry;
}

Result<repository::BlobCopy> copy_of(const v4::pb::BlobCopy& info) {
  repository::BlobCopy copy;
  CB_ASSIGN(copy.id, v4::id_of<BlobId>(info.id()));
  CB_ASSIGN(copy.device, v4::id_of<DeviceId>(info.device()));
  if (info.kind() < static_cast<uint32_t>(repository::BlobKind::data) ||
      info.kind() > static_cast<uint32_t>(repository::BlobKind::session))
    return failed(Code::corrupt, "copy of blob " + copy.id.hex(), "is of no known kind");
  copy.kind = static_cast<repository::BlobKind>(info.kind());
  return copy;
}

}  // namespace

Result<repository::ChainPage> V4Session::chain(uint64_t sequence) {
  v4::pb::Chain message;
  message.set_sequence(sequence);
  CB_ASSIGN(const Bytes bytes, state_->ask(v4::Request::chain, v4::encode(message),
                                           v4::Response::chain, state_->limits.answer));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::ChainReply>(bytes));
  repository::ChainPage page;
  for (const std::string& one : reply.commits()) page.commits.push_back(to_bytes(as_bytes(one)));
  page.last = reply.last();
  if (page.commits.empty() && !page.last)
    return failed(state_->strange("gave no records, and says that there are more"));
  return page;
}

// A server that told of none at the login is not asked: an older one knows no such request.
Result<repository::WantedPage> V4Session::wanted(const BlobId& after) {
  if (state_->welcome.wanted == 0) return repository::WantedPage{{}, true};
  v4::pb::Wanted message;
  if (!after.is_zero()) message.set_after(v4::field_of(after.view()));
  CB_ASSIGN(const Bytes bytes, state_->ask(v4::Request::wanted, v4::encode(message),
                                           v4::Response::wanted, state_->limits.answer));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::WantedReply>(bytes));
  CB_ASSIGN(const std::vector<BlobId> ids, v4::split_ids(reply.ids(), v4::kIdsMax));
  if (reply.kinds().size() != ids.size())
    return failed(state_->strange("tells of wanted blobs without their kinds"));
  repository::WantedPage page;
  for (size_t i = 0; i < ids.size(); ++i) {
    const BlobId& before = i == 0 ? after : ids[i - 1];
    if (!(before < ids[i])) return failed(state_->strange("tells of wanted blobs in disorder"));
    page.blobs.push_back({ids[i], static_cast<repository::BlobKind>(reply.kinds()[i])});
  }
  page.last = reply.last();
  if (page.blobs.empty() && !page.last)
    return failed(state_->strange("tells of no wanted blobs, and says that there are more"));
  return page;
}

// An older server knows no such request.
Result<repository::SignaturePage> V4Session::signatures(uint64_t before) {
  const auto& features = state_->welcome.features;
  if (std::find(features.begin(), features.end(), v4::kSignaturesFeature) == features.end())
    return repository::SignaturePage{{}, 0, true};
  v4::pb::Signatures message;
  message.set_before(before);
  CB_ASSIGN(const Bytes bytes, state_->ask(v4::Request::signatures, v4::encode(message),
                                           v4::Response::signatures, state_->limits.answer));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::SignaturesReply>(bytes));
  repository::SignaturePage page;
  CB_ASSIGN(page.ids, v4::split_ids(reply.ids(), v4::kIdsMax));
  page.next = reply.next();
  page.last = reply.last();
  const bool goes_on = page.next > 0 && (before == 0 || page.next < before);
  if (!page.last && (page.ids.empty() || !goes_on))
    return failed(state_->strange("tells of signatures without an end"));
  return page;
}

Result<repository::DeviceList> V4Session::devices() {
  CB_ASSIGN(const Bytes bytes,
            state_->ask(v4::Request::devices, {}, v4::Response::devices, state_->limits.answer));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::DevicesReply>(bytes));
  repository::DeviceList list;
  for (const auto& info : reply.devices()) {
    CB_ASSIGN(repository::DeviceEntry entry, device_of(info));
    list.devices.push_back(std::move(entry));
  }
  for (const auto& info : reply.invites()) {
    CB_ASSIGN(repository::InviteEntry entry, invite_of(info));
    list.invites.push_back(std::move(entry));
  }
  return list;
}

Status V4Session::add_invite(const repository::NewInvite& invite) {
  v4::pb::AddInvite message;
  message.set_invite(v4::field_of(invite.record));
  message.set_proof_hash(v4::field_of(invite.proof_hash));
  message.set_sealed_keys(v4::field_of(invite.sealed_keys));
  return state_->tell(v4::Request::add_invite, v4::encode(message), state_->limits.answer);
}

Status V4Session::remove_invite(const repository::InviteId& invite) {
  v4::pb::RemoveInvite message;
  message.set_invite(v4::field_of(invite.view()));
  return state_->tell(v4::Request::remove_invite, v4::encode(message), state_->limits.answer);
}

Status V4Session::set_device(const DeviceId& device, uint64_t state) {
  v4::pb::SetDevice message;
  message.set_device(v4::field_of(device.view()));
  message.set_state(static_cast<uint32_t>(state));
  return state_->tell(v4::Request::set_device, v4::encode(message), state_->limits.answer);
}

Status V4Session::put_record(const repository::RepositoryRecord& record,
                             const std::optional<std::vector<repository::KeySlot>>& slots) {
  v4::pb::PutRecord message;
  message.set_repository(v4::field_of(repository::encode(record)));
  message.set_replaces_slots(slots.has_value());
  if (slots)
    for (const repository::KeySlot& slot : *slots)
      message.add_slots(v4::field_of(repository::encode(slot)));
  return state_->tell(v4::Request::put_record, v4::encode(message), state_->limits.flush);
}

Result<repository::SessionPage> V4Session::sessions(uint32_t epoch,
                                                    const repository::SessionId& after) {
  v4::pb::Sessions message;
  message.set_epoch(epoch);
  if (!after.is_zero()) message.set_after(v4::field_of(after.view()));
  CB_ASSIGN(const Bytes bytes, state_->ask(v4::Request::sessions, v4::encode(message),
                                           v4::Response::sessions, state_->limits.answer));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::SessionsReply>(bytes));
  repository::SessionPage page;
  for (const auto& info : reply.sessions()) {
    repository::SessionEntry entry;
    CB_ASSIGN(entry.session, v4::id_of<repository::SessionId>(info.session()));
    const auto& before = page.sessions.empty() ? after : page.sessions.back().session;
    if (!(before < entry.session)) return failed(state_->strange("gave sessions in disorder"));
    entry.record = to_bytes(as_bytes(info.record()));
    page.sessions.push_back(std::move(entry));
  }
  page.last = reply.last();
  if (page.sessions.empty() && !page.last)
    return failed(state_->strange("gave no sessions, and says that there are more"));
  return page;
}

Status V4Session::put_sessions(std::span<const repository::SessionEntry> sessions) {
  v4::pb::PutSessions message;
  for (const repository::SessionEntry& entry : sessions) {
    auto* info = message.add_sessions();
    info->set_session(v4::field_of(entry.session.view()));
    info->set_record(v4::field_of(entry.record));
  }
  return state_->tell(v4::Request::put_sessions, v4::encode(message), state_->limits.flush);
}

Result<repository::CopyPage> V4Session::copies(uint64_t after) {
  v4::pb::Copies message;
  message.set_after(after);
  CB_ASSIGN(const Bytes bytes, state_->ask(v4::Request::copies, v4::encode(message),
                                           v4::Response::copies, state_->limits.answer));
  CB_ASSIGN(const auto reply, v4::parse<v4::pb::CopiesReply>(bytes));
  repository::CopyPage page;
  for (const auto& info : reply.copies()) {
    CB_ASSIGN(const repository::BlobCopy copy, copy_of(info));
    page.copies.push_back(copy);
  }
  page.cursor = reply.cursor();
  page.last = reply.last();
  if (!page.last && (page.copies.empty() || page.cursor <= after))
    return failed(state_->strange("goes through its copies without an end"));
  return page;
}

Status V4Session::verified(const DeviceId& device, std::span<const BlobId> ids, bool bad) {
  if (ids.size() > v4::kIdsMax)
    return failed(Code::limit, "verified", "tells of more than 4,096 blobs at once");
  v4::pb::Verified message;
  message.set_device(v4::field_of(device.view()));
  message.set_ids(v4::join_ids(ids));
  message.set_bad(bad);
  return state_->tell(v4::Request::verified, v4::encode(message), state_->limits.flush);
}

}  // namespace cb::client
