// SPDX-License-Identifier: Apache-2.0
#include "tests/conversation/v4_talk.h"

#include <algorithm>
#include <cstring>

#include "core/protocol/v4/channel.h"
#include "tests/conversation/v4_world.h"

namespace cb::conversation {
namespace {

using v4::Request;
using v4::Response;
using v4::Standing;

// The answers that protocol 4 has for a request, beside Failure; the last one ends it.
std::vector<Response> answers_to(Request request) {
  switch (request) {
    case Request::hello:
      return {Response::hello};
    case Request::enroll:
    case Request::join:
    case Request::adopt:
      return {Response::enroll};
    case Request::login:
      return {Response::login};
    case Request::password_login:
      return {Response::password_login};
    case Request::open_invite:
      return {Response::open_invite};
    case Request::migrate:
      return {Response::migrate};
    case Request::prove_key:
      return {Response::prove_key};
    case Request::heartbeat:
      return {Response::heartbeat};
    case Request::have:
      return {Response::have};
    case Request::flush:
      return {Response::flush};
    case Request::commit:
      return {Response::commit};
    case Request::get:
    case Request::replica_get:
      return {Response::blob, Response::blob_more, Response::get_end};
    case Request::snapshots:
      return {Response::snapshots};
    case Request::forget:
    case Request::undelete:
      return {Response::forget};
    case Request::slots:
      return {Response::slots};
    case Request::counts:
      return {Response::counts};
    default:
      break;
  }
  switch (request) {
    case Request::devices:
    case Request::replica_devices:
      return {Response::devices};
    case Request::sessions:
      return {Response::sessions};
    case Request::chain:
    case Request::replica_chain:
      return {Response::chain};
    case Request::copies:
      return {Response::copies};
    case Request::retention:
      return {Response::retention};
    case Request::set_retention:
      return {Response::set_retention};
    case Request::wanted:
      return {Response::wanted};
    case Request::signatures:
      return {Response::signatures};
    case Request::replica_login:
      return {Response::replica_login};
    case Request::replica_accounts:
      return {Response::replica_accounts};
    case Request::replica_records:
      return {Response::replica_records};
    case Request::drill_result:
      return {Response::drill_result};
    default:
      return {Response::done};
  }
}

bool ends(const V4Answered& answer) {
  if (answer.code == Response::blob || answer.code == Response::blob_more) return false;
  if (answer.code != Response::snapshots) return true;
  return must(v4::parse<v4::pb::SnapshotsReply>(answer.message)).last();
}

// In nothing that is sent may there be anything of somebody else's.
void check_for_canary(ByteView bytes) {
  const ByteView secret = canary();
  if (bytes.empty()) return;
  const void* found = ::memmem(bytes.data(), bytes.size(), secret.data(), secret.size());
  require(found == nullptr, "the server gave away what is of another account");
}

}  // namespace

// --- what was sent -------------------------------------------------------------------------------

void SentFrames::take(ByteView bytes, const std::function<void(const Frame&)>& whole) {
  while (!bytes.empty() && !broken_) {
    const size_t passed = static_cast<size_t>(std::min<uint64_t>(skip_, bytes.size()));
    skip_ -= passed;
    bytes = bytes.subspan(passed);
    const size_t more = std::min(kHead - head_.size(), bytes.size());
    head_.insert(head_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(more));
    bytes = bytes.subspan(more);
    if (head_.size() < kHead) return;
    broken_ = !decode(whole);
    head_.clear();
  }
}

bool SentFrames::decode(const std::function<void(const Frame&)>& whole) {
  const ByteView head(head_);
  const auto header = protocol::decode_request_header(head.first<protocol::kRequestHeaderSize>());
  const auto code = v4::request_of(header.code);
  if (header.version != v4::kVersion || !code) return false;
  const auto front = v4::decode_frame_head(head.last<v4::kFrameHeadSize>(), header.payload_size);
  if (!front || front->request_id == v4::kPushedId) return false;
  skip_ = header.payload_size - v4::kFrameHeadSize;
  whole({*code, front->request_id, front->message_size,
         static_cast<uint32_t>(skip_ - front->message_size)});
  return true;
}

// --- talking -------------------------------------------------------------------------------------

V4Talk::V4Talk(InProcessServer& server, const std::string& address)
    : server_(server), line_(std::make_unique<Line>(server, 4, address)) {}

uint32_t V4Talk::request(Request code, ByteView message, ByteView bulk, uint32_t id) {
  if (id == 0) id = next_id_++;
  Bytes frame = v4::request_front({}, code, id, message, bulk.size());
  frame.insert(frame.end(), bulk.begin(), bulk.end());
  send(std::move(frame));
  return id;
}

void V4Talk::send(Bytes bytes) {
  if (spoil_ && !bytes.empty()) {
    was_spoilt_ = true;
    const size_t at = spoil_->at % bytes.size();
    if (spoil_->cuts)
      bytes.resize(at);
    else
      bytes[at] ^= spoil_->with;
    spoil_.reset();
  }
  sent_.take(bytes, [this](const SentFrames::Frame& frame) {
    bulk_ += frame.bulk;
    if (frame.code == Request::put) ++puts_;
    if (v4::has_bulk(frame.code))
      put_ids_.insert(frame.id);
    else
      asked_.push_back({frame.code, frame.id});
  });
  line_->send(bytes);
}

void V4Talk::hello(const v4::pb::Hello& said) {
  hello_ = v4::encode(said);
  request(Request::hello, hello_);
}

Bytes V4Talk::statement(const repository::DeviceId& device) const {
  const auto reply = v4::parse<v4::pb::HelloReply>(reply_);
  const std::string nonce = reply ? reply->nonce() : std::string(32, '\0');
  const auto made =
      v4::channel_statement(line_->binding(), v4::view_of(nonce), hello_, reply_, device);
  return made ? *made : Bytes(32);
}

void V4Talk::receive(const std::function<void(const V4Answered&)>& answered) {
  line_->receive();
  Bytes& in = line_->inbox;
  size_t at = 0;
  while (in.size() - at >= protocol::kResponseHeaderSize) {
    const auto header = protocol::decode_response_header(
        ByteView(in).subspan(at).first<protocol::kResponseHeaderSize>());
    const auto code = v4::response_of(header.code);
    require(header.version == v4::kVersion && code, "the server sent what is no answer");
    require(header.payload_size <= v4::kFrameMax, "the server sent a frame that is too long");
    if (in.size() - at - protocol::kResponseHeaderSize < header.payload_size) break;
    const ByteView payload =
        ByteView(in).subspan(at + protocol::kResponseHeaderSize, header.payload_size);
    at += protocol::kResponseHeaderSize + header.payload_size;
    const v4::Payload parts = must(v4::parse_payload(payload));
    const V4Answered answer{*code, parts.request_id, to_bytes(parts.message), to_bytes(parts.bulk)};
    judge(answer);
    answered(answer);
  }
  in.erase(in.begin(), in.begin() + static_cast<ptrdiff_t>(at));
}

void V4Talk::judge(const V4Answered& answer) {
  server_.log().show("  answer " + std::to_string(static_cast<unsigned>(answer.code)) + " to " +
                     std::to_string(answer.id));
  require(!is_ended_, "something came after a failure that ends the connection");
  check_for_canary(answer.message);
  check_for_canary(answer.bulk);
  require(answer.bulk.empty() || v4::has_bulk(answer.code), "an answer has bulk that has none");
  if (answer.code == Response::taken) return judge_taken(answer);
  if (answer.code == Response::failure) return judge_failure(answer);
  require(!asked_.empty() && asked_.front().id == answer.id,
          "a request was answered that was not asked, or not in its turn");
  const Asked asked = asked_.front();
  const auto due = answers_to(asked.code);
  require(std::find(due.begin(), due.end(), answer.code) != due.end(),
          "the answer is not of the kind that the request asks for");
  const auto privilege = v4::privilege_of(asked.code);
  require(privilege && v4::has_privilege(standing_, *privilege),
          "a request was granted that this standing does not allow");
  if (!ends(answer)) return;
  asked_.pop_front();
  if (asked.code == Request::hello) reply_ = answer.message;
  granted(asked);
}

void V4Talk::granted(const Asked& asked) {
  if (asked.code == Request::hello) standing_ = Standing::greeted;
  const auto privilege = v4::privilege_of(asked.code);
  const bool is_entrance = *privilege == v4::Privilege::stranger &&
                           asked.code != Request::open_invite && asked.code != Request::migrate &&
                           asked.code != Request::prove_key;
  if (!is_entrance) return;
  const auto expected = entrances_.find(asked.id);
  require(expected != entrances_.end(), "somebody was let in who proved nothing");
  standing_ = expected->second;
}

void V4Talk::judge_taken(const V4Answered& answer) {
  require(answer.id == v4::kPushedId, "Taken has a request id");
  const auto taken = must(v4::parse<v4::pb::Taken>(answer.message));
  require(taken.bytes() >= taken_ && taken.durable() >= durable_, "Taken goes back");
  require(taken.bytes() <= bulk_, "more was taken than was sent");
  require(taken.durable() <= puts_, "more blobs are durable than were sent");
  taken_ = taken.bytes();
  durable_ = taken.durable();
}

void V4Talk::judge_failure(const V4Answered& answer) {
  const auto failure = must(v4::parse<v4::pb::Failure>(answer.message));
  server_.log().show("    " + v4::error_of(failure).text());
  require(failure.code() != static_cast<int>(Code::internal), "the server failed by itself");
  is_ended_ = failure.fatal();
  if (failure.fatal()) return;
  if (!asked_.empty() && asked_.front().id == answer.id) return asked_.pop_front();
  require(put_ids_.contains(answer.id), "a failure answers what was not asked");
}

}  // namespace cb::conversation
