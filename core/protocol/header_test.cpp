// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/header.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace cb::protocol {
namespace {

TEST(Header, request_lies_in_23_bytes_least_significant_first) {
  RequestHeader header{{}, 3, 1028, 0x01020304};
  header.client.bytes[0] = std::byte{0xaa};
  header.client.bytes[15] = std::byte{0xbb};
  const auto bytes = encode(header);
  EXPECT_EQ(to_hex(bytes), "aa0000000000000000000000000000bb03040404030201");
}

TEST(Header, response_lies_in_7_bytes_least_significant_first) {
  EXPECT_EQ(to_hex(encode(ResponseHeader{3, 1603, 279})), "03430617010000");
}

RC_GTEST_PROP(Header, any_23_bytes_decode_and_encode_to_themselves, ()) {
  RequestHeaderBytes bytes{};
  for (auto& byte : bytes) byte = std::byte{*rc::gen::arbitrary<uint8_t>()};
  RC_ASSERT(encode(decode_request_header(bytes)) == bytes);
}

RC_GTEST_PROP(Header, any_response_header_survives_the_wire,
              (uint8_t version, uint16_t code, uint32_t size)) {
  const ResponseHeader header{version, code, size};
  RC_ASSERT(decode_response_header(encode(header)) == header);
}

}  // namespace
}  // namespace cb::protocol
