// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/header.h"

#include <algorithm>

namespace cb::protocol {

RequestHeader decode_request_header(std::span<const std::byte, kRequestHeaderSize> from) {
  RequestHeader header;
  std::copy_n(from.begin(), ClientId::kSize, header.client.bytes.begin());
  header.version = std::to_integer<uint8_t>(from[16]);
  header.code = load_le<uint16_t>(&from[17]);
  header.payload_size = load_le<uint32_t>(&from[19]);
  return header;
}

ResponseHeader decode_response_header(std::span<const std::byte, kResponseHeaderSize> from) {
  ResponseHeader header;
  header.version = std::to_integer<uint8_t>(from[0]);
  header.code = load_le<uint16_t>(&from[1]);
  header.payload_size = load_le<uint32_t>(&from[3]);
  return header;
}

RequestHeaderBytes encode(const RequestHeader& header) {
  RequestHeaderBytes out{};
  std::copy(header.client.bytes.begin(), header.client.bytes.end(), out.begin());
  out[16] = std::byte{header.version};
  store_le<uint16_t>(&out[17], header.code);
  store_le<uint32_t>(&out[19], header.payload_size);
  return out;
}

ResponseHeaderBytes encode(const ResponseHeader& header) {
  ResponseHeaderBytes out{};
  out[0] = std::byte{header.version};
  store_le<uint16_t>(&out[1], header.code);
  store_le<uint32_t>(&out[3], header.payload_size);
  return out;
}

}  // namespace cb::protocol
