// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes frames and messages as a server reads them.
#include "core/protocol/v4/frame.h"
#include "core/protocol/v4/messages.h"
#include "core/repository/records.h"

namespace {

using namespace cb;  // NOLINT

void require(bool holds) {
  if (!holds) __builtin_trap();
}

template <typename Message>
void parse_plain(ByteView bytes) {
  const auto message = v4::parse<Message>(bytes);
  if (message) require(v4::parse<Message>(v4::encode(*message)).has_value());
}

void parse_put(ByteView bytes) {
  const auto message = v4::parse<v4::pb::Put>(bytes);
  const auto head = message ? v4::head_of(*message) : failed(message.error());
  if (!head) return;
  require(head->children.size() <= repository::kMaxChildren);
  require(head->stored_size > 0 && head->stored_size <= repository::kMaxStored);
  require(v4::head_of(v4::put_of(*head)) == *head);
}

void parse_commit(ByteView bytes) {
  const auto message = v4::parse<v4::pb::Commit>(bytes);
  const auto request = message ? v4::request_of(*message) : failed(message.error());
  if (request) require(v4::request_of(v4::message_of(*request)).has_value());
}

void parse_ids(const std::string& field) {
  const auto ids = v4::split_ids(field, v4::kIdsMax);
  if (ids) require(ids->size() <= v4::kIdsMax && v4::join_ids(*ids) == field);
}

void parse_enroll(ByteView bytes) {
  const auto message = v4::parse<v4::pb::Enroll>(bytes);
  if (message) require(v4::parse<v4::pb::Enroll>(v4::encode(*message)).has_value());
}

void parse_record(const std::string& field) {
  const ByteView bytes = v4::view_of(field);
  if (const auto record = repository::decode_repository(bytes))
    require(repository::encode(*record) == to_bytes(bytes));
  if (const auto record = repository::decode_certificate(bytes))
    require(repository::encode(*record) == to_bytes(bytes));
  if (const auto record = repository::decode_invite(bytes))
    require(repository::encode(*record) == to_bytes(bytes));
  if (const auto record = repository::decode_slot(bytes))
    require(repository::encode(*record) == to_bytes(bytes));
  if (const auto record = repository::decode_session(bytes))
    require(repository::encode(*record) == to_bytes(bytes));
}

// Those of Join and AddDevice.
template <typename Message>
void parse_device(ByteView bytes) {
  parse_plain<Message>(bytes);
  const auto message = v4::parse<Message>(bytes);
  if (!message) return;
  parse_record(message->certificate());
  for (const std::string& slot : message->slots()) parse_record(slot);
}

void parse_put_record(ByteView bytes) {
  parse_plain<v4::pb::PutRecord>(bytes);
  const auto message = v4::parse<v4::pb::PutRecord>(bytes);
  if (!message) return;
  parse_record(message->repository());
  for (const std::string& slot : message->slots()) parse_record(slot);
}

// What another server asks that copies repositories.
void parse_replicas(v4::Request code, ByteView bytes) {
  switch (code) {
    case v4::Request::replica_login:
      return parse_plain<v4::pb::ReplicaLogin>(bytes);
    case v4::Request::replica_accounts:
      return parse_plain<v4::pb::ReplicaAccounts>(bytes);
    case v4::Request::replica_records:
      return parse_plain<v4::pb::ReplicaRecords>(bytes);
    case v4::Request::replica_devices:
      return parse_plain<v4::pb::ReplicaDevices>(bytes);
    case v4::Request::replica_chain:
      return parse_plain<v4::pb::ReplicaChain>(bytes);
    case v4::Request::replica_get:
      if (const auto get = v4::parse<v4::pb::ReplicaGet>(bytes)) parse_ids(get->ids());
      return;
    default:
      return;
  }
}

// What further devices come with, and what owners ask for.
void parse_members(v4::Request code, ByteView bytes) {
  switch (code) {
    case v4::Request::password_login:
      return parse_plain<v4::pb::PasswordLogin>(bytes);
    case v4::Request::open_invite:
      return parse_plain<v4::pb::OpenInvite>(bytes);
    case v4::Request::join:
      return parse_device<v4::pb::Join>(bytes);
    case v4::Request::migrate:
      return parse_plain<v4::pb::Migrate>(bytes);
    case v4::Request::prove_key:
      return parse_plain<v4::pb::ProveKey>(bytes);
    case v4::Request::adopt:
      return parse_device<v4::pb::Adopt>(bytes);
    case v4::Request::add_device:
      return parse_device<v4::pb::AddDevice>(bytes);
    case v4::Request::add_invite:
      parse_plain<v4::pb::AddInvite>(bytes);
      if (const auto add = v4::parse<v4::pb::AddInvite>(bytes)) parse_record(add->invite());
      return;
    case v4::Request::remove_invite:
      return parse_plain<v4::pb::RemoveInvite>(bytes);
    case v4::Request::set_device:
      return parse_plain<v4::pb::SetDevice>(bytes);
    case v4::Request::put_record:
      return parse_put_record(bytes);
    case v4::Request::sessions:
      return parse_plain<v4::pb::Sessions>(bytes);
    case v4::Request::put_sessions:
      parse_plain<v4::pb::PutSessions>(bytes);
      if (const auto put = v4::parse<v4::pb::PutSessions>(bytes))
        for (const auto& info : put->sessions()) parse_record(info.record());
      return;
    case v4::Request::chain:
      return parse_plain<v4::pb::Chain>(bytes);
    case v4::Request::copies:
      return parse_plain<v4::pb::Copies>(bytes);
    case v4::Request::wanted:
      return parse_plain<v4::pb::Wanted>(bytes);
    case v4::Request::signatures:
      return parse_plain<v4::pb::Signatures>(bytes);
    case v4::Request::verified:
      if (const auto said = v4::parse<v4::pb::Verified>(bytes)) parse_ids(said->ids());
      return;
    case v4::Request::set_retention:
      return parse_plain<v4::pb::SetRetention>(bytes);
    case v4::Request::drill_result:
      return parse_plain<v4::pb::DrillResult>(bytes);
    default:
      return parse_replicas(code, bytes);
  }
}

void parse_message(v4::Request code, ByteView bytes) {
  switch (code) {
    case v4::Request::hello:
      return parse_plain<v4::pb::Hello>(bytes);
    case v4::Request::enroll:
      return parse_enroll(bytes);
    case v4::Request::login:
      return parse_plain<v4::pb::Login>(bytes);
    case v4::Request::heartbeat:
      return parse_plain<v4::pb::Heartbeat>(bytes);
    case v4::Request::have:
      if (const auto have = v4::parse<v4::pb::Have>(bytes)) parse_ids(have->ids());
      return;
    case v4::Request::get:
      if (const auto get = v4::parse<v4::pb::Get>(bytes)) parse_ids(get->ids());
      return;
    case v4::Request::put:
      return parse_put(bytes);
    case v4::Request::commit:
      return parse_commit(bytes);
    case v4::Request::snapshots:
      return parse_plain<v4::pb::Snapshots>(bytes);
    case v4::Request::forget:
    case v4::Request::undelete:
      return parse_plain<v4::pb::Forget>(bytes);
    case v4::Request::add_slot:
      return parse_plain<v4::pb::AddSlot>(bytes);
    case v4::Request::remove_slot:
      return parse_plain<v4::pb::RemoveSlot>(bytes);
    default:
      return parse_members(code, bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView rest = std::as_bytes(std::span(data, size));
  while (rest.size() >= protocol::kRequestHeaderSize) {
    const auto header = protocol::decode_request_header(rest.first<23>());
    rest = rest.subspan(protocol::kRequestHeaderSize);
    const ByteView payload = rest.first(std::min<size_t>(header.payload_size, rest.size()));
    rest = rest.subspan(payload.size());
    const auto code = v4::request_of(header.code);
    const auto parsed = v4::parse_payload(payload);
    if (!parsed) continue;
    require(parsed->message.size() + parsed->bulk.size() + v4::kFrameHeadSize == payload.size());
    if (code && parsed->message.size() <= v4::message_limit(*code))
      parse_message(*code, parsed->message);
  }
  return 0;
}
