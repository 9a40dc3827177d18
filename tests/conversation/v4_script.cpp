// SPDX-License-Identifier: Apache-2.0
#include "tests/conversation/v4_script.h"

#include <algorithm>

#include "core/os/clock.h"
#include "core/os/random.h"
#include "tests/conversation/invariant.h"

namespace cb::conversation {
namespace {

using repository::BlobId;
using v4::Request;
using v4::Response;

constexpr Response kResponses[] = {
    Response::hello,        Response::enroll,        Response::login,     Response::password_login,
    Response::open_invite,  Response::migrate,       Response::prove_key, Response::heartbeat,
    Response::have,         Response::taken,         Response::flush,     Response::commit,
    Response::blob,         Response::blob_more,     Response::get_end,   Response::snapshots,
    Response::forget,       Response::slots,         Response::done,      Response::counts,
    Response::devices,      Response::sessions,      Response::chain,     Response::copies,
    Response::retention,    Response::set_retention, Response::wanted,    Response::signatures,
    Response::drill_result, Response::failure};

std::vector<BlobId> ids_in(ByteView message) {
  const auto get = v4::parse<v4::pb::Get>(message);
  if (!get) return {};
  const auto ids = v4::split_ids(get->ids(), v4::kIdsMax);
  return ids ? *ids : std::vector<BlobId>{};
}

}  // namespace

ScriptedAccount::ScriptedAccount()
    : owner(server::V4Owner::make()),
      server_key(must(identity::SigningKey::make(os::system_random()))),
      invited(server::V4Invited::make(owner, repository::Role::writer)) {}

bool V4Script::take(ByteView sent, Bytes& out) {
  ++progress();
  in_.insert(in_.end(), sent.begin(), sent.end());
  for (;;) {
    if (in_.size() < protocol::kRequestHeaderSize) return true;
    const auto header =
        protocol::decode_request_header(ByteView(in_).first<protocol::kRequestHeaderSize>());
    require(header.payload_size <= v4::kFrameMax, "the client sends a frame that is too long");
    const size_t size = protocol::kRequestHeaderSize + header.payload_size;
    if (in_.size() < size) return true;
    const auto payload = must(v4::parse_payload(
        ByteView(in_).subspan(protocol::kRequestHeaderSize, header.payload_size)));
    const auto code = v4::request_of(header.code);
    require(code.has_value(), "the client asks for what is no request");
    require(payload.request_id != v4::kPushedId, "the client asks with the id 0");
    const Asked asked{*code, payload.request_id, to_bytes(payload.message), payload.bulk.size()};
    in_.erase(in_.begin(), in_.begin() + static_cast<ptrdiff_t>(size));
    if (!answer(asked, out)) return false;
  }
}

bool V4Script::answer(const Asked& asked, Bytes& out) {
  bulk_ += asked.bulk;
  if (asked.code == Request::put) ++whole_;
  const std::vector<Step> steps = script_->next();
  if (steps.empty()) send_honestly(asked, out);
  for (const Step& step : steps)
    if (!play(step, asked, out)) return false;
  return true;
}

bool V4Script::play(const Step& step, const Asked& asked, Bytes& out) {
  switch (static_cast<Kind>(step.kind % kinds)) {
    case honest:
      send_honestly(asked, out);
      return true;
    case bent:
      send_bent(step, asked, out);
      return true;
    case message:
      append(out, kResponses[step.x % std::size(kResponses)], id_for(step.a, asked), step.bytes,
             Bytes(step.y % 2000));
      return true;
    case raw:
      out.insert(out.end(), step.bytes.begin(), step.bytes.end());
      return true;
    case silence:
      return true;
    case end:
      return false;
    default:
      play_more(step, asked, out);
      return true;
  }
}

void V4Script::play_more(const Step& step, const Asked& asked, Bytes& out) {
  switch (static_cast<Kind>(step.kind % kinds)) {
    case taken: {
      v4::pb::Taken message;
      message.set_bytes(step.x % 8 == 7 ? bulk_ : uint64_t{step.x} << (step.a * 4U % 64));
      message.set_durable(step.y % 8 == 7 ? whole_ : step.y);
      return append(out, Response::taken, v4::kPushedId, v4::encode(message));
    }
    case refuse: {
      v4::pb::Failure message;
      message.set_code(-static_cast<int>(step.a));
      message.set_cause(std::string(as_text(step.bytes)));
      message.set_fatal(step.b % 2 == 1);
      message.set_retry(step.y % 4);
      return append(out, Response::failure, id_for(step.b / 2U, asked), v4::encode(message));
    }
    case blob:
      return send_blob(step, asked, out);
    case greet: {
      v4::pb::HelloReply reply = hello();
      reply.set_version(step.a == 0 ? 4 : step.a);
      reply.set_frame_max(step.x % 2 == 0 ? v4::kFrameMax : step.x);
      reply.set_credit(step.y);
      reply.set_heartbeat_seconds(step.b * 8U);
      reply.set_lease_seconds(step.b * 32U);
      return append(out, Response::hello, asked.id, v4::encode(reply));
    }
    case list:
      return send_list(step, asked, out);
    default:
      return send_many(step, asked, out);
  }
}

void V4Script::append(Bytes& out, Response code, uint32_t id, ByteView message, ByteView bulk) {
  const Bytes front = v4::response_front(code, id, message, bulk.size());
  out.insert(out.end(), front.begin(), front.end());
  out.insert(out.end(), bulk.begin(), bulk.end());
}

uint32_t V4Script::id_for(unsigned how, const Asked& asked) const {
  const uint32_t ids[] = {asked.id, asked.id + 1, asked.id - 1, 0, 0xffffffff};
  return ids[how % 5];
}

void V4Script::send_honestly(const Asked& asked, Bytes& out) {
  if (v4::has_bulk(asked.code)) {
    v4::pb::Taken message;
    message.set_bytes(bulk_);
    return append(out, Response::taken, v4::kPushedId, v4::encode(message));
  }
  if (asked.code == Request::get) send_blobs(asked, out);
  Response code = Response::done;
  const Bytes message = honest_message(asked, code);
  append(out, code, asked.id, message);
}

void V4Script::send_bent(const Step& step, const Asked& asked, Bytes& out) {
  Bytes frames;
  send_honestly(asked, frames);
  const size_t at = step.x % frames.size();
  if (step.a % 5 == 0) frames[at] ^= static_cast<std::byte>(step.y | 1);
  if (step.a % 5 == 1) frames.resize(at);
  if (step.a % 5 == 2) frames.insert(frames.end(), frames.begin(), frames.end());
  if (step.a % 5 == 3) store_le<uint32_t>(&frames[7], id_for(step.b + 1U, asked));
  if (step.a % 5 == 4) frames.insert(frames.begin() + static_cast<ptrdiff_t>(at), step.y % 64, {});
  out.insert(out.end(), frames.begin(), frames.end());
}

void V4Script::send_blob(const Step& step, const Asked& asked, Bytes& out) const {
  const std::vector<BlobId> ids = ids_in(asked.message);
  repository::BlobHead head;
  if (!ids.empty()) head.id = ids[step.b % ids.size()];
  if (step.a % 4 == 1) head.id.bytes[3] ^= std::byte{1};
  head.stored_size = step.x;
  head.children.resize(step.a % 3);
  const Bytes bulk(std::min<size_t>(step.y, 60000));
  append(out, Response::blob, asked.id, v4::encode(v4::blob_of(head)), bulk);
  for (unsigned i = 0; i < step.b / 2U % 4; ++i)
    append(out, Response::blob_more, asked.id, {}, Bytes(step.y % 4000));
}

void V4Script::send_blobs(const Asked& asked, Bytes& out) const {
  for (const BlobId& id : ids_in(asked.message)) {
    repository::BlobHead head;
    head.id = id;
    head.session.bytes.fill(std::byte{7});
    head.stored_size = 100;
    append(out, Response::blob, asked.id, v4::encode(v4::blob_of(head)), Bytes(60));
    append(out, Response::blob_more, asked.id, {}, Bytes(40));
  }
}

void V4Script::send_list(const Step& step, const Asked& asked, Bytes& out) const {
  v4::pb::SnapshotsReply reply;
  const Bytes record = receipt({Request::forget, 0, {}, 0});
  for (unsigned i = 0; i < step.x % 300U; ++i) {
    auto* one = reply.add_snapshots();
    one->set_commit(v4::field_of(record));
    one->set_presence(step.b);
  }
  reply.set_last(step.a % 2 == 0);
  append(out, Response::snapshots, asked.id, v4::encode(reply));
}

void V4Script::send_many(const Step& step, const Asked& asked, Bytes& out) const {
  if (asked.code == Request::have) {
    v4::pb::HaveReply reply;
    reply.set_present(std::string(step.x % 9000, '\1'));
    return append(out, Response::have, asked.id, v4::encode(reply));
  }
  if (asked.code == Request::commit) {
    v4::pb::CommitReply reply;
    reply.set_missing(std::string(size_t{step.x % 5000U} * 32 + step.a % 2, 'm'));
    return append(out, Response::commit, asked.id, v4::encode(reply));
  }
  v4::pb::SignaturesReply reply;
  reply.set_ids(std::string(size_t{step.x % 5000U} * 32 + step.a % 2, 'i'));
  reply.set_next(step.y);
  const Response code = asked.code == Request::wanted ? Response::wanted : Response::signatures;
  append(out, code, asked.id, v4::encode(reply));
}

// --- honest answers ------------------------------------------------------------------------------

v4::pb::HelloReply V4Script::hello() const {
  v4::pb::HelloReply reply;
  reply.set_version(4);
  reply.add_features("signatures");
  reply.set_program("scripted");
  reply.set_nonce(std::string(32, 'n'));
  reply.set_frame_max(v4::kFrameMax);
  reply.set_credit(512 * 1024);
  reply.set_heartbeat_seconds(60);
  reply.set_lease_seconds(600);
  reply.set_time_ns(os::system_clock().wall().count());
  reply.set_server_key(v4::field_of(account_.server_key.public_key()));
  return reply;
}

// A commit record for what was asked: the same ids, the server's signature.
Bytes V4Script::receipt(const Asked& asked) const {
  repository::CommitRecord record;
  record.sequence = 1;
  record.device = account_.owner.device;
  if (asked.code == Request::commit) {
    const auto commit = v4::parse<v4::pb::Commit>(asked.message);
    const auto request = commit ? v4::request_of(*commit) : failed(commit.error());
    if (request) {
      record.snapshot = request->snapshot;
      record.root = request->root;
      record.flags = request->flags;
      record.commit_id = request->commit_id;
    }
  } else if (const auto forget = v4::parse<v4::pb::Forget>(asked.message)) {
    if (const auto id = v4::id_of<BlobId>(forget->snapshot())) record.snapshot = *id;
    record.type = asked.code == Request::undelete ? repository::CommitType::undelete
                                                  : repository::CommitType::forget;
  }
  record.signature =
      must(account_.server_key.sign(repository::signed_part(record, account_.owner.record.id)));
  return repository::encode(record);
}

Bytes V4Script::entrance_message(const Asked& asked, Response& code) const {
  const auto record = v4::field_of(repository::encode(account_.owner.record));
  if (asked.code == Request::login) {
    code = Response::login;
    v4::pb::LoginReply reply;
    reply.set_account("account");
    reply.set_repository(record);
    reply.set_certificate(v4::field_of(repository::encode(account_.owner.certificate)));
    return v4::encode(reply);
  }
  if (asked.code == Request::password_login) {
    code = Response::password_login;
    v4::pb::PasswordLoginReply reply;
    reply.set_repository(record);
    return v4::encode(reply);
  }
  if (asked.code == Request::open_invite) {
    code = Response::open_invite;
    v4::pb::OpenInviteReply reply;
    reply.set_account("account");
    reply.set_repository(record);
    reply.set_invite(v4::field_of(repository::encode(account_.invited.invite)));
    reply.set_sealed_keys(v4::field_of(account_.invited.sealed_keys));
    return v4::encode(reply);
  }
  code = Response::enroll;
  v4::pb::EnrollReply reply;
  reply.set_account("account");
  return v4::encode(reply);
}

Bytes V4Script::record_message(const Asked& asked, Response& code) const {
  const auto with_last = [&](auto reply, Response of) {
    code = of;
    reply.set_last(true);
    return v4::encode(reply);
  };
  switch (asked.code) {
    case Request::snapshots:
      return with_last(v4::pb::SnapshotsReply(), Response::snapshots);
    case Request::sessions:
      return with_last(v4::pb::SessionsReply(), Response::sessions);
    case Request::chain:
      return with_last(v4::pb::ChainReply(), Response::chain);
    case Request::copies:
      return with_last(v4::pb::CopiesReply(), Response::copies);
    case Request::wanted:
      return with_last(v4::pb::WantedReply(), Response::wanted);
    case Request::signatures:
      return with_last(v4::pb::SignaturesReply(), Response::signatures);
    case Request::forget:
    case Request::undelete: {
      code = Response::forget;
      v4::pb::ForgetReply reply;
      reply.set_commit(v4::field_of(receipt(asked)));
      return v4::encode(reply);
    }
    case Request::commit: {
      code = Response::commit;
      v4::pb::CommitReply reply;
      reply.set_receipt(v4::field_of(receipt(asked)));
      return v4::encode(reply);
    }
    default:
      return entrance_message(asked, code);
  }
}

Bytes V4Script::honest_message(const Asked& asked, Response& code) const {
  constexpr std::pair<Request, Response> kEmpty[] = {
      {Request::get, Response::get_end},
      {Request::slots, Response::slots},
      {Request::counts, Response::counts},
      {Request::devices, Response::devices},
      {Request::retention, Response::retention},
      {Request::set_retention, Response::set_retention},
      {Request::drill_result, Response::drill_result},
      {Request::add_slot, Response::done},
      {Request::remove_slot, Response::done},
      {Request::add_invite, Response::done},
      {Request::remove_invite, Response::done},
      {Request::set_device, Response::done},
      {Request::put_record, Response::done},
      {Request::put_sessions, Response::done},
      {Request::verified, Response::done}};
  for (const auto& [request, response] : kEmpty) {
    if (request != asked.code) continue;
    code = response;
    return {};
  }
  if (asked.code == Request::hello) {
    code = Response::hello;
    return v4::encode(hello());
  }
  if (asked.code == Request::heartbeat) {
    code = Response::heartbeat;
    return asked.message;
  }
  if (asked.code == Request::have) {
    code = Response::have;
    v4::pb::HaveReply reply;
    reply.set_present(std::string(ids_in(asked.message).size(), '\1'));
    return v4::encode(reply);
  }
  if (asked.code == Request::flush) {
    code = Response::flush;
    v4::pb::FlushReply reply;
    reply.set_durable(whole_);
    return v4::encode(reply);
  }
  return record_message(asked, code);
}

}  // namespace cb::conversation
