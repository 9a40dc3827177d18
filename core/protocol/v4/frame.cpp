// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v4/frame.h"

#include <algorithm>

namespace cb::v4 {
namespace {

constexpr size_t kKiB = 1024;

void append_head(Bytes& to, uint32_t request_id, ByteView message) {
  const size_t at = to.size();
  to.resize(at + kFrameHeadSize);
  store_le<uint32_t>(&to[at], request_id);
  store_le<uint32_t>(&to[at + 4], static_cast<uint32_t>(message.size()));
  to.insert(to.end(), message.begin(), message.end());
}

}  // namespace

std::optional<Request> request_of(uint16_t code) {
  switch (static_cast<Request>(code)) {
    case Request::hello:
    case Request::enroll:
    case Request::login:
    case Request::password_login:
    case Request::open_invite:
    case Request::join:
    case Request::migrate:
    case Request::prove_key:
    case Request::adopt:
    case Request::heartbeat:
    case Request::have:
    case Request::put:
    case Request::put_more:
    case Request::flush:
    case Request::commit:
    case Request::get:
    case Request::snapshots:
    case Request::forget:
    case Request::undelete:
    case Request::slots:
    case Request::add_slot:
    case Request::remove_slot:
    case Request::counts:
    case Request::devices:
    case Request::add_invite:
    case Request::remove_invite:
    case Request::set_device:
    case Request::put_record:
    case Request::add_device:
    case Request::sessions:
    case Request::put_sessions:
    case Request::chain:
    case Request::copies:
    case Request::verified:
    case Request::retention:
    case Request::set_retention:
    case Request::wanted:
    case Request::signatures:
    case Request::replica_login:
    case Request::replica_accounts:
    case Request::replica_records:
    case Request::replica_devices:
    case Request::replica_chain:
    case Request::replica_get:
    case Request::drill_result:
      return static_cast<Request>(code);
  }
  return std::nullopt;
}

std::optional<Response> response_of(uint16_t code) {
  switch (static_cast<Response>(code)) {
    case Response::hello:
    case Response::enroll:
    case Response::login:
    case Response::password_login:
    case Response::open_invite:
    case Response::migrate:
    case Response::prove_key:
    case Response::heartbeat:
    case Response::have:
    case Response::taken:
    case Response::flush:
    case Response::commit:
    case Response::blob:
    case Response::blob_more:
    case Response::get_end:
    case Response::snapshots:
    case Response::forget:
    case Response::slots:
    case Response::done:
    case Response::counts:
    case Response::devices:
    case Response::sessions:
    case Response::chain:
    case Response::copies:
    case Response::retention:
    case Response::set_retention:
    case Response::wanted:
    case Response::signatures:
    case Response::replica_login:
    case Response::replica_accounts:
    case Response::replica_records:
    case Response::drill_result:
    case Response::failure:
      return static_cast<Response>(code);
  }
  return std::nullopt;
}

size_t message_limit(Request request) {
  switch (request) {
    case Request::hello:
      return 4 * kKiB;
    case Request::enroll:
    case Request::join:
    case Request::adopt:
    case Request::add_device:
      return 64 * kKiB;
    case Request::put_record:
    case Request::put_sessions:
      return kFrameMax - kFrameHeadSize;
    case Request::have:
    case Request::get:
    case Request::replica_get:
    case Request::verified:
      return kIdsMax * 32 + kKiB;
    case Request::put:
      return kFrameMax - kFrameHeadSize;
    case Request::put_more:
      return 0;
    case Request::drill_result:
      return 4 * kKiB;
    case Request::set_retention:
      return 8 * kKiB;
    case Request::commit:
      return 16 * kKiB;
    case Request::add_slot:
    case Request::add_invite:
      return 16 * kKiB;
    default:
      return kKiB;
  }
}

bool has_bulk(Request request) { return request == Request::put || request == Request::put_more; }

bool has_bulk(Response response) {
  return response == Response::blob || response == Response::blob_more;
}

Result<FrameHead> decode_frame_head(std::span<const std::byte, kFrameHeadSize> from,
                                    uint32_t payload_size) {
  if (payload_size > kFrameMax)
    return failed(
        Code::limit, "frame",
        "has " + std::to_string(payload_size) + " bytes, more than " + std::to_string(kFrameMax));
  const FrameHead head{load_le<uint32_t>(&from[0]), load_le<uint32_t>(&from[4])};
  if (payload_size < kFrameHeadSize || head.message_size > payload_size - kFrameHeadSize)
    return failed(Code::corrupt, "frame",
                  "has a message of " + std::to_string(head.message_size) + " bytes in " +
                      std::to_string(payload_size));
  return head;
}

Result<Payload> parse_payload(ByteView payload) {
  if (payload.size() < kFrameHeadSize)
    return failed(Code::corrupt, "frame", "has only " + std::to_string(payload.size()) + " bytes");
  const auto size = static_cast<uint32_t>(std::min<size_t>(payload.size(), UINT32_MAX));
  CB_ASSIGN(const FrameHead head, decode_frame_head(payload.first<kFrameHeadSize>(), size));
  const ByteView rest = payload.subspan(kFrameHeadSize);
  return Payload{head.request_id, rest.first(head.message_size), rest.subspan(head.message_size)};
}

Bytes request_front(const ClientId& client, Request code, uint32_t request_id, ByteView message,
                    size_t bulk_size) {
  const size_t size = kFrameHeadSize + message.size() + bulk_size;
  const auto header = encode(protocol::RequestHeader{client, kVersion, static_cast<uint16_t>(code),
                                                     static_cast<uint32_t>(size)});
  Bytes front;
  front.reserve(header.size() + kFrameHeadSize + message.size());
  front.assign(header.begin(), header.end());
  append_head(front, request_id, message);
  return front;
}

Bytes response_front(Response code, uint32_t request_id, ByteView message, size_t bulk_size) {
  const size_t size = kFrameHeadSize + message.size() + bulk_size;
  const auto header = encode(
      protocol::ResponseHeader{kVersion, static_cast<uint16_t>(code), static_cast<uint32_t>(size)});
  Bytes front;
  front.reserve(header.size() + kFrameHeadSize + message.size());
  front.assign(header.begin(), header.end());
  append_head(front, request_id, message);
  return front;
}

size_t bulk_in_frame(size_t message_size, uint64_t remaining) {
  if (message_size > kFrameMax - kFrameHeadSize) return 0;
  return static_cast<size_t>(
      std::min<uint64_t>(kFrameMax - kFrameHeadSize - message_size, remaining));
}

}  // namespace cb::v4
