// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes frames and messages as a client reads them.
#include "core/protocol/v4/frame.h"
#include "core/protocol/v4/messages.h"
#include "core/repository/records.h"

namespace {

using namespace cb;  // NOLINT

void require(bool holds) {
  if (!holds) __builtin_trap();
}

void parse_blob(ByteView bytes) {
  const auto message = v4::parse<v4::pb::Blob>(bytes);
  const auto head = message ? v4::head_of(*message) : failed(message.error());
  if (head) require(v4::head_of(v4::blob_of(*head)) == *head);
}

void parse_failure(ByteView bytes) {
  const auto message = v4::parse<v4::pb::Failure>(bytes);
  if (!message) return;
  const Error error = v4::error_of(*message);
  require(error.code <= Code::invalid && error.code >= Code::internal);
  const Error again = v4::error_of(v4::failure_of(error, message->fatal()));
  require(again.text() == error.text());
}

void parse_answer(ByteView bytes) {
  const auto message = v4::parse<v4::pb::CommitReply>(bytes);
  const auto answer = message ? v4::answer_of(*message) : failed(message.error());
  if (answer) require(answer->missing.size() <= v4::kIdsMax);
}

void parse_snapshots(ByteView bytes) {
  const auto message = v4::parse<v4::pb::SnapshotsReply>(bytes);
  if (!message) return;
  for (const v4::pb::Snapshot& one : message->snapshots()) (void)v4::info_of(one);
}

void parse_slots(ByteView bytes) {
  const auto message = v4::parse<v4::pb::SlotsReply>(bytes);
  if (!message) return;
  for (const std::string& slot : message->slots()) (void)repository::decode_slot(v4::view_of(slot));
}

void parse_login(ByteView bytes) {
  const auto message = v4::parse<v4::pb::LoginReply>(bytes);
  if (!message) return;
  (void)repository::decode_repository(v4::view_of(message->repository()));
  (void)repository::decode_certificate(v4::view_of(message->certificate()));
}

void parse_copy(ByteView bytes) {
  const auto message = v4::parse<v4::pb::ReplicaRecordsReply>(bytes);
  if (!message) return;
  (void)repository::decode_account(v4::view_of(message->account()));
  (void)repository::decode_repository(v4::view_of(message->repository()));
  for (const std::string& slot : message->slots()) (void)repository::decode_slot(v4::view_of(slot));
}

void parse_handover(ByteView bytes) {
  const auto message = v4::parse<v4::pb::ProveKeyReply>(bytes);
  if (!message) return;
  (void)repository::decode_repository(v4::view_of(message->repository()));
  (void)repository::decode_keyring(v4::view_of(message->keyring()));
}

// What an invite and a password open.
void parse_entrance(v4::Response code, ByteView bytes) {
  if (code == v4::Response::password_login) {
    if (const auto message = v4::parse<v4::pb::PasswordLoginReply>(bytes))
      (void)repository::decode_repository(v4::view_of(message->repository()));
    return;
  }
  const auto message = v4::parse<v4::pb::OpenInviteReply>(bytes);
  if (!message) return;
  (void)repository::decode_repository(v4::view_of(message->repository()));
  (void)repository::decode_invite(v4::view_of(message->invite()));
}

void parse_commit(const std::string& field) {
  const auto record = repository::decode_commit(v4::view_of(field));
  if (record) require(repository::encode(*record) == to_bytes(v4::view_of(field)));
}

// The chain of commits, and what owners check and do.
void parse_chain(v4::Response code, ByteView bytes) {
  if (code == v4::Response::chain) {
    const auto message = v4::parse<v4::pb::ChainReply>(bytes);
    if (!message) return;
    for (const std::string& one : message->commits()) parse_commit(one);
  } else if (code == v4::Response::copies) {
    (void)v4::parse<v4::pb::CopiesReply>(bytes);
  } else if (code == v4::Response::forget) {
    if (const auto message = v4::parse<v4::pb::ForgetReply>(bytes)) parse_commit(message->commit());
  } else {
    parse_entrance(code, bytes);
  }
}

// Lists that owners ask for.
void parse_owners(v4::Response code, ByteView bytes) {
  if (code == v4::Response::devices) {
    const auto message = v4::parse<v4::pb::DevicesReply>(bytes);
    if (!message) return;
    for (const auto& one : message->devices())
      (void)repository::decode_certificate(v4::view_of(one.certificate()));
    for (const auto& one : message->invites())
      (void)repository::decode_invite(v4::view_of(one.invite()));
  } else if (code == v4::Response::sessions) {
    const auto message = v4::parse<v4::pb::SessionsReply>(bytes);
    if (!message) return;
    for (const auto& one : message->sessions())
      (void)repository::decode_session(v4::view_of(one.record()));
  } else {
    parse_chain(code, bytes);
  }
}

void parse_message(v4::Response code, ByteView bytes) {
  switch (code) {
    case v4::Response::hello:
      return (void)v4::parse<v4::pb::HelloReply>(bytes);
    case v4::Response::enroll:
      return (void)v4::parse<v4::pb::EnrollReply>(bytes);
    case v4::Response::login:
      return parse_login(bytes);
    case v4::Response::migrate:
      return (void)v4::parse<v4::pb::MigrateReply>(bytes);
    case v4::Response::prove_key:
      return parse_handover(bytes);
    case v4::Response::have:
      return (void)v4::parse<v4::pb::HaveReply>(bytes);
    case v4::Response::taken:
      return (void)v4::parse<v4::pb::Taken>(bytes);
    case v4::Response::flush:
      return (void)v4::parse<v4::pb::FlushReply>(bytes);
    case v4::Response::commit:
      return parse_answer(bytes);
    case v4::Response::blob:
      return parse_blob(bytes);
    case v4::Response::get_end:
      return (void)v4::parse<v4::pb::GetEnd>(bytes);
    case v4::Response::snapshots:
      return parse_snapshots(bytes);
    case v4::Response::slots:
      return parse_slots(bytes);
    case v4::Response::counts:
      return (void)v4::parse<v4::pb::CountsReply>(bytes);
    case v4::Response::retention:
      return (void)v4::parse<v4::pb::RetentionReply>(bytes);
    case v4::Response::set_retention:
      return (void)v4::parse<v4::pb::SetRetentionReply>(bytes);
    case v4::Response::wanted:
      return (void)v4::parse<v4::pb::WantedReply>(bytes);
    case v4::Response::signatures:
      return (void)v4::parse<v4::pb::SignaturesReply>(bytes);
    case v4::Response::replica_login:
      return (void)v4::parse<v4::pb::ReplicaLoginReply>(bytes);
    case v4::Response::replica_accounts:
      return (void)v4::parse<v4::pb::ReplicaAccountsReply>(bytes);
    case v4::Response::replica_records:
      return parse_copy(bytes);
    case v4::Response::drill_result:
      return (void)v4::parse<v4::pb::DrillReply>(bytes);
    case v4::Response::failure:
      return parse_failure(bytes);
    default:
      return parse_owners(code, bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView rest = std::as_bytes(std::span(data, size));
  while (rest.size() >= protocol::kResponseHeaderSize) {
    const auto header = protocol::decode_response_header(rest.first<7>());
    rest = rest.subspan(protocol::kResponseHeaderSize);
    const ByteView payload = rest.first(std::min<size_t>(header.payload_size, rest.size()));
    rest = rest.subspan(payload.size());
    const auto code = v4::response_of(header.code);
    const auto parsed = v4::parse_payload(payload);
    if (code && parsed) parse_message(*code, parsed->message);
  }
  return 0;
}
