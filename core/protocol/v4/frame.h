// SPDX-License-Identifier: Apache-2.0
//
// The frames of protocol v4 (docs/protocol-v4.md, "Frames"): a header of core/protocol/header.h,
// then request id[4] ‖ message length[4] ‖ message ‖ bulk. Functions are pure.
#pragma once

#include <optional>

#include "core/base/bytes.h"
#include "core/protocol/header.h"
#include "core/protocol/v4/codes.h"

namespace cb::v4 {

constexpr size_t kFrameHeadSize = 8;  // request id and message length
constexpr uint32_t kPushedId = 0;     // request id of what the server sends unasked

// What stands between a header and its message.
struct FrameHead {
  uint32_t request_id = 0;
  uint32_t message_size = 0;  // bytes

  bool operator==(const FrameHead&) const = default;
};

// A payload, taken apart; views into it.
struct Payload {
  uint32_t request_id = 0;
  ByteView message;
  ByteView bulk;
};

// The code, if it is one of this protocol.
std::optional<Request> request_of(uint16_t code);
std::optional<Response> response_of(uint16_t code);

// Most bytes of a message of this kind: what is longer is refused before it is read.
size_t message_limit(Request request);
// May frames of this kind carry bulk?
bool has_bulk(Request request);
bool has_bulk(Response response);

// Judges a payload by its size and its first 8 bytes. Code::corrupt when they do not fit each
// other, Code::limit when the payload is longer than kFrameMax.
Result<FrameHead> decode_frame_head(std::span<const std::byte, kFrameHeadSize> from,
                                    uint32_t payload_size);
// The same for a payload that is there as a whole.
Result<Payload> parse_payload(ByteView payload);

// Everything of a frame but its bulk: header, head and message. `bulk_size` bytes follow.
Bytes request_front(const ClientId& client, Request code, uint32_t request_id, ByteView message,
                    size_t bulk_size);
Bytes response_front(Response code, uint32_t request_id, ByteView message, size_t bulk_size);

// How much of `remaining` bytes of bulk belongs into a frame with such a message: as much as fits.
size_t bulk_in_frame(size_t message_size, uint64_t remaining);

}  // namespace cb::v4
