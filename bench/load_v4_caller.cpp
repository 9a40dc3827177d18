// SPDX-License-Identifier: Apache-2.0
#include "bench/load_v4_caller.h"

#include <boost/asio/this_coro.hpp>

#include "core/os/random.h"
#include "core/protocol/v4/channel.h"
#include "core/repository/pairing_token.h"
#include "core/repository/signatures.h"

namespace cb::bench {
namespace {

using stream::Task;
using v4::Request;
using v4::Response;

constexpr std::chrono::seconds kPatience{120};

// A failure that the server tells, or an answer that is not due.
Error unexpected(const V4Caller::Answer& got) {
  const auto failure = v4::parse<v4::pb::Failure>(got.message);
  if (got.code != Response::failure || !failure)
    return fail(Code::corrupt, "answer", "is not the one due");
  return v4::error_of(*failure);
}

template <typename IdType>
Result<IdType> drawn() {
  IdType id;
  CB_TRY(os::system_random().fill(id.bytes));
  return id;
}

}  // namespace

Result<V4Device> V4Device::make() {
  CB_ASSIGN(identity::SigningKey root, identity::SigningKey::make(os::system_random()));
  CB_ASSIGN(identity::SigningKey key, identity::SigningKey::make(os::system_random()));
  V4Device made{{}, std::move(root), std::move(key), {}, {}, {}, {}};
  made.id.bytes = identity::device_id_of(made.key.public_key());
  CB_ASSIGN(made.record.id, drawn<repository::RepositoryId>());
  made.record.root = made.root.public_key();
  made.record.epochs = {{1, Bytes(32, std::byte{7})}};
  made.record.created_ns = 1;
  CB_ASSIGN(made.record.signature, made.root.sign(repository::signed_part(made.record)));
  made.certificate.device = made.key.public_key();
  made.certificate.created_ns = 1;
  CB_ASSIGN(made.certificate.signature,
            made.root.sign(repository::signed_part(made.certificate, made.record.id)));
  CB_ASSIGN(made.slot.id, drawn<repository::SlotId>());
  made.slot.kind = repository::SlotKind::recovery_code;
  made.slot.sealed = Bytes(100, std::byte{5});
  return made;
}

Task<std::unique_ptr<V4Caller>> V4Caller::connect(const stream::Stack& stack,
                                                  stream::Target target) {
  const auto executor = co_await boost::asio::this_coro::executor;
  CB_CO_ASSIGN(auto connection, co_await stack.connect(executor, std::move(target), kPatience));
  connection->set_read_timeout(kPatience);
  connection->set_write_timeout(kPatience);
  co_return std::unique_ptr<V4Caller>(new V4Caller(std::move(connection)));
}

Task<V4Caller::Answer> V4Caller::frame() {
  protocol::ResponseHeaderBytes raw{};
  CB_CO_TRY(co_await connection_->read_exactly(raw));
  const auto header = protocol::decode_response_header(raw);
  const auto code = v4::response_of(header.code);
  if (!code) co_return failed(Code::corrupt, "answer", "is none of protocol 4");
  Bytes payload(header.payload_size);
  CB_CO_TRY(co_await connection_->read_exactly(payload));
  CB_CO_ASSIGN(const v4::Payload parsed, v4::parse_payload(payload));
  v4::pb::Taken newest;
  if (*code == Response::taken) CB_CO_TRY(v4::parse_into(newest, parsed.message));
  if (*code == Response::taken) taken_ = newest;
  co_return Answer{*code, to_bytes(parsed.message), to_bytes(parsed.bulk)};
}

Task<V4Caller::Answer> V4Caller::answer() {
  while (true) {
    CB_CO_ASSIGN(Answer next, co_await frame());
    if (next.code != Response::taken) co_return next;
  }
}

// A failure of a blob is told while blobs are sent.
Task<void> V4Caller::take_note() {
  CB_CO_ASSIGN(const Answer next, co_await frame());
  if (next.code == Response::taken) co_return Status{};
  CB_CO_ASSIGN(const auto failure, v4::parse<v4::pb::Failure>(next.message));
  co_return failed(v4::error_of(failure));
}

Task<void> V4Caller::tell(Request code, const Bytes& message, ByteView bulk) {
  Bytes frame = v4::request_front({}, code, next_id_++, message, bulk.size());
  frame.insert(frame.end(), bulk.begin(), bulk.end());
  co_return co_await connection_->write(frame);
}

Task<Bytes> V4Caller::ask(Request code, const Bytes& message, Response expected) {
  CB_CO_TRY(co_await tell(code, message, {}));
  CB_CO_ASSIGN(Answer got, co_await answer());
  if (got.code == expected) co_return std::move(got.message);
  co_return failed(unexpected(got));
}

Task<Bytes> V4Caller::have(const std::vector<repository::BlobId>& ids) {
  v4::pb::Have message;
  message.set_ids(v4::join_ids(ids));
  CB_CO_ASSIGN(const Bytes answer,
               co_await ask(Request::have, v4::encode(message), Response::have));
  CB_CO_ASSIGN(const auto reply, v4::parse<v4::pb::HaveReply>(answer));
  if (reply.present().size() != ids.size())
    co_return failed(Code::corrupt, "have", "is answered for another number of blobs");
  co_return to_bytes(v4::view_of(reply.present()));
}

Task<std::vector<repository::StoredBlob>> V4Caller::get(
    const std::vector<repository::BlobId>& ids) {
  v4::pb::Get message;
  message.set_ids(v4::join_ids(ids));
  CB_CO_TRY(co_await tell(Request::get, v4::encode(message), {}));
  std::vector<repository::StoredBlob> blobs;
  while (true) {
    CB_CO_ASSIGN(Answer got, co_await answer());
    if (got.code == Response::blob) {
      CB_CO_ASSIGN(const auto blob, v4::parse<v4::pb::Blob>(got.message));
      CB_CO_ASSIGN(repository::BlobHead head, v4::head_of(blob));
      blobs.push_back({std::move(head), std::move(got.bulk)});
    } else if (got.code == Response::blob_more && !blobs.empty()) {
      Bytes& stored = blobs.back().stored;
      stored.insert(stored.end(), got.bulk.begin(), got.bulk.end());
    } else if (got.code == Response::get_end) {
      CB_CO_ASSIGN(const auto end, v4::parse<v4::pb::GetEnd>(got.message));
      if (!end.missing().empty()) co_return failed(Code::not_found, "blob", "is missing");
      co_return blobs;
    } else {
      co_return failed(unexpected(got));
    }
  }
}

Task<void> V4Caller::hello() {
  v4::pb::Hello hello;
  hello.set_version_min(v4::kVersion);
  hello.set_version_max(v4::kVersion);
  hello.set_program("bench");
  hello_ = v4::encode(hello);
  CB_CO_ASSIGN(reply_bytes_, co_await ask(Request::hello, hello_, Response::hello));
  co_return v4::parse_into(reply_, reply_bytes_);
}

Result<Bytes> V4Caller::statement(const repository::DeviceId& device) {
  CB_ASSIGN(const Bytes binding, connection_->stream().info(CB_INFO_CHANNEL_BINDING));
  return v4::channel_statement(binding, v4::view_of(reply_.nonce()), hello_, reply_bytes_, device);
}

Task<void> V4Caller::log_in(const V4Device& device) {
  CB_CO_ASSIGN(const Bytes to_sign, statement(device.id));
  CB_CO_ASSIGN(const repository::Signature signature, device.key.sign(to_sign));
  v4::pb::Login login;
  login.set_device(v4::field_of(device.id.view()));
  login.set_signature(v4::field_of(signature));
  CB_CO_TRY(co_await ask(Request::login, v4::encode(login), Response::login));
  co_return Status{};
}

Task<void> V4Caller::enroll(const V4Device& device, const std::string& token) {
  CB_CO_ASSIGN(const repository::PairingToken parsed, repository::parse_pairing_token(token));
  CB_CO_ASSIGN(const Bytes to_sign, statement(device.id));
  CB_CO_ASSIGN(const repository::Signature signature, device.key.sign(to_sign));
  v4::pb::Enroll message;
  message.set_token_id(v4::field_of(parsed.id.view()));
  message.set_token_secret(v4::field_of(parsed.secret.view()));
  message.set_repository(v4::field_of(repository::encode(device.record)));
  message.set_certificate(v4::field_of(repository::encode(device.certificate)));
  message.add_slots(v4::field_of(repository::encode(device.slot)));
  message.set_signature(v4::field_of(signature));
  CB_CO_TRY(co_await ask(Request::enroll, v4::encode(message), Response::enroll));
  co_return Status{};
}

Task<void> V4Caller::put(const repository::BlobHead& head, ByteView stored) {
  Bytes message = v4::encode(v4::put_of(head));
  const uint32_t id = next_id_;
  Request code = Request::put;
  do {
    const ByteView bulk = stored.first(v4::bulk_in_frame(message.size(), stored.size()));
    while (sent_ + bulk.size() > taken_.bytes() + reply_.credit()) CB_CO_TRY(co_await take_note());
    next_id_ = id;  // all frames of a blob have one
    CB_CO_TRY(co_await tell(code, message, bulk));
    sent_ += bulk.size();
    stored = stored.subspan(bulk.size());
    code = Request::put_more;
    message = {};
  } while (!stored.empty());
  co_return Status{};
}

Result<repository::SigningPublic> V4Caller::server_key() const {
  return v4::array_of<std::tuple_size_v<repository::SigningPublic>>(reply_.server_key());
}

Task<void> V4Caller::send(ByteView bytes) {
  if (ended_) co_return failed(Code::closed, "connection", "has ended");
  co_return co_await connection_->write(bytes);
}

boost::asio::awaitable<void> V4Caller::wait_for_end() {
  std::array<std::byte, 512> gone{};
  connection_->set_read_timeout(std::chrono::minutes(10));
  while (true) {
    const auto got = co_await connection_->read_some(gone);
    if (!got || *got == 0) break;
  }
  ended_ = true;
  co_await connection_->close();
}

boost::asio::awaitable<bool> V4Caller::has_ended() {
  std::array<std::byte, 512> gone{};
  connection_->set_read_timeout(std::chrono::milliseconds(100));
  while (true) {
    const auto got = co_await connection_->read_some(gone);
    if (!got) co_return got.error().code != Code::timeout;
    if (*got == 0) co_return true;
  }
}

boost::asio::awaitable<void> V4Caller::leave() {
  (void)co_await connection_->shutdown();
  co_await connection_->close();
}

bool V4Caller::is_resumed() {
  const auto resumed = connection_->stream().info(CB_INFO_RESUMED);
  return resumed && !resumed->empty() && resumed->front() != std::byte{0};
}

}  // namespace cb::bench
