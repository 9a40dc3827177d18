// SPDX-License-Identifier: Apache-2.0
//
// The two headers that protocol v3 and v4 share: 23 bytes before every request, 7 before every
// response, integers least significant byte first. Functions are pure.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/id.h"

namespace cb::protocol {

constexpr size_t kRequestHeaderSize = 23;
constexpr size_t kResponseHeaderSize = 7;

// client id[16] version[1] code[2] payload size[4]
struct RequestHeader {
  ClientId client;
  uint8_t version = 0;
  uint16_t code = 0;
  uint32_t payload_size = 0;  // bytes after the header

  bool operator==(const RequestHeader&) const = default;
};

// version[1] code[2] payload size[4]
struct ResponseHeader {
  uint8_t version = 0;
  uint16_t code = 0;
  uint32_t payload_size = 0;  // bytes after the header

  bool operator==(const ResponseHeader&) const = default;
};

using RequestHeaderBytes = std::array<std::byte, kRequestHeaderSize>;
using ResponseHeaderBytes = std::array<std::byte, kResponseHeaderSize>;

// Every 23 (or 7) bytes are a header; judging version, code and size is the caller's.
RequestHeader decode_request_header(std::span<const std::byte, kRequestHeaderSize> from);
ResponseHeader decode_response_header(std::span<const std::byte, kResponseHeaderSize> from);

RequestHeaderBytes encode(const RequestHeader& header);
ResponseHeaderBytes encode(const ResponseHeader& header);

}  // namespace cb::protocol
