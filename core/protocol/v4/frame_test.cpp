// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v4/frame.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/protocol/v4/messages.h"

namespace cb::v4 {
namespace {

Bytes payload_of(uint32_t request_id, ByteView message, ByteView bulk) {
  const Bytes front = response_front(Response::blob, request_id, message, bulk.size());
  Bytes payload(front.begin() + protocol::kResponseHeaderSize, front.end());
  payload.insert(payload.end(), bulk.begin(), bulk.end());
  return payload;
}

RC_GTEST_PROP(Frame, gives_back_what_was_put_in, (uint32_t id)) {
  const auto message = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  const auto bulk = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  const Bytes payload = payload_of(id, as_bytes(message), as_bytes(bulk));
  const auto parsed = parse_payload(payload);
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(parsed->request_id == id);
  RC_ASSERT(as_text(parsed->message) == message);
  RC_ASSERT(as_text(parsed->bulk) == bulk);
}

TEST(Frame, is_as_the_documentation_says_byte_by_byte) {
  // docs/protocol-v4.md, "A worked example".
  ClientId client;
  client.bytes.fill(std::byte{0xaa});
  pb::Have have;
  have.set_ids(std::string(32, '\x11'));
  EXPECT_EQ(to_hex(request_front(client, Request::have, 7, encode(have), 0)),
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "04"
            "e407"
            "2a000000"
            "07000000"
            "22000000"
            "0a20"
            "1111111111111111111111111111111111111111111111111111111111111111");
  pb::HaveReply reply;
  reply.set_present(std::string(1, '\x01'));
  EXPECT_EQ(to_hex(response_front(Response::have, 7, encode(reply), 0)),
            "04"
            "cc0b"
            "0b000000"
            "07000000"
            "03000000"
            "0a0101");
}

TEST(Frame, is_refused_when_sizes_do_not_fit) {
  std::array<std::byte, kFrameHeadSize> head{};
  EXPECT_TRUE(decode_frame_head(head, 8));
  EXPECT_EQ(decode_frame_head(head, 7).error().code, Code::corrupt);
  EXPECT_EQ(decode_frame_head(head, 0).error().code, Code::corrupt);
  EXPECT_TRUE(decode_frame_head(head, kFrameMax));
  EXPECT_EQ(decode_frame_head(head, kFrameMax + 1).error().code, Code::limit);
  EXPECT_EQ(decode_frame_head(head, UINT32_MAX).error().code, Code::limit);
  store_le<uint32_t>(&head[4], 5);
  EXPECT_TRUE(decode_frame_head(head, 13));
  EXPECT_EQ(decode_frame_head(head, 12).error().code, Code::corrupt);
  store_le<uint32_t>(&head[4], UINT32_MAX);
  EXPECT_EQ(decode_frame_head(head, kFrameMax).error().code, Code::corrupt);
  EXPECT_EQ(parse_payload({}).error().code, Code::corrupt);
}

TEST(Frame, knows_its_codes_and_no_others) {
  size_t requests = 0;
  size_t responses = 0;
  for (uint32_t code = 0; code <= UINT16_MAX; ++code) {
    requests += request_of(static_cast<uint16_t>(code)) ? 1 : 0;
    responses += response_of(static_cast<uint16_t>(code)) ? 1 : 0;
  }
  EXPECT_EQ(requests, 45U);
  EXPECT_EQ(responses, 33U);
  EXPECT_EQ(request_of(2021), Request::put);
  EXPECT_EQ(response_of(3999), Response::failure);
}

TEST(Frame, of_a_blob_is_filled_to_the_brim) {
  EXPECT_EQ(bulk_in_frame(100, 1), 1U);
  EXPECT_EQ(bulk_in_frame(100, 10'000'000), kFrameMax - kFrameHeadSize - 100);
  EXPECT_EQ(bulk_in_frame(kFrameMax - kFrameHeadSize, 5), 0U);
  EXPECT_EQ(bulk_in_frame(kFrameMax, 5), 0U);
}

TEST(Frame, holds_the_head_of_a_blob_with_the_most_children) {
  repository::BlobHead head;
  head.kind = repository::BlobKind::node;
  head.children.resize(repository::kMaxChildren);
  head.stored_size = repository::kMaxStored;
  EXPECT_LE(encode(put_of(head)).size(), message_limit(Request::put));
}

}  // namespace
}  // namespace cb::v4
