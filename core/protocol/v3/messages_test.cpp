// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v3/messages.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace cb::v3 {
namespace {

template <size_t Size>
std::array<std::byte, Size> arbitrary_bytes() {
  std::array<std::byte, Size> out{};
  for (auto& byte : out) byte = std::byte{*rc::gen::arbitrary<uint8_t>()};
  return out;
}

TEST(Codes, aliases_stand_for_the_usual_requests) {
  EXPECT_EQ(request_of(825), Request::sign_up);
  EXPECT_EQ(request_of(828), Request::send_file);
  EXPECT_EQ(request_of(900), Request::checksum_right);
  EXPECT_EQ(request_of(902), Request::checksum_give_up);
  EXPECT_EQ(request_of(1027), Request::reconnect);
  for (const uint16_t code :
       std::initializer_list<uint16_t>{0, 824, 829, 899, 903, 1024, 1032, 1600, 65535})
    EXPECT_FALSE(request_of(code)) << code;
}

TEST(Codes, both_dialects_have_eight_replies) {
  EXPECT_EQ(reply_of(1603), Reply::file_received);
  EXPECT_EQ(reply_of(2103), Reply::file_received);
  EXPECT_EQ(code_of(Reply::error, Dialect::of_2023), 2107);
  for (const uint16_t code : std::initializer_list<uint16_t>{0, 1599, 1608, 2099, 2108})
    EXPECT_FALSE(reply_of(code)) << code;
}

TEST(TextFields, end_at_the_first_zero_or_fill_the_field) {
  const auto field = text_field("note.txt");
  ASSERT_TRUE(field);
  EXPECT_EQ(text_in(*field), "note.txt");
  const std::string full(255, 'n');
  EXPECT_EQ(text_in(*text_field(full)), full);
  EXPECT_FALSE(text_field(std::string(256, 'n')));
  EXPECT_FALSE(text_field(std::string_view("a\0b", 3)));
  EXPECT_FALSE(parse_text_field(Bytes(254)));
}

TEST(PublicKey, is_cut_to_its_own_der_length) {
  Bytes payload(417);
  payload[255] = std::byte{0x30};
  payload[256] = std::byte{0x81};
  payload[257] = std::byte{0x9d};
  EXPECT_EQ(parse_public_key(payload)->key.size(), 160u);
  payload[257] = std::byte{0x9f};
  EXPECT_EQ(parse_public_key(payload)->key.size(), 162u);
  payload.resize(415);
  EXPECT_FALSE(parse_public_key(payload));  // the field is shorter than the key says
  payload[257] = std::byte{0x9d};
  EXPECT_TRUE(parse_public_key(payload));
  payload.resize(414);
  EXPECT_FALSE(parse_public_key(payload));
}

TEST(PublicKey, that_is_no_rsa_1024_der_is_refused) {
  EXPECT_FALSE(parse_public_key(Bytes(415)));
  Bytes payload(500);
  payload[255] = std::byte{0x30};
  payload[256] = std::byte{0x82};
  payload[257] = std::byte{0x9d};
  EXPECT_FALSE(parse_public_key(payload));
}

TEST(Ciphertext, always_has_a_padding_byte) {
  EXPECT_EQ(ciphertext_size(0), 16u);
  EXPECT_EQ(ciphertext_size(15), 16u);
  EXPECT_EQ(ciphertext_size(16), 32u);
  EXPECT_EQ(ciphertext_size(2048), 2064u);
}

TEST(Whole, messages_count_their_payload) {
  const Bytes request = request_bytes({}, Request::send_file, {Bytes(267), Bytes(5)});
  ASSERT_EQ(request.size(), 23u + 272u);
  const auto header = protocol::decode_request_header(std::span(request).first<23>());
  EXPECT_EQ(header.code, 1028);
  EXPECT_EQ(header.payload_size, 272u);
  EXPECT_EQ(to_hex(response_bytes(Reply::error)), "03470600000000");
  EXPECT_EQ(to_hex(response_bytes(Reply::error, {}, Dialect::of_2023)), "033b0800000000");
}

RC_GTEST_PROP(FileHeads, any_267_bytes_decode_and_encode_to_themselves, ()) {
  const auto bytes = arbitrary_bytes<kFileHeadSize>();
  RC_ASSERT(encode(decode_file_head(bytes)) == bytes);
}

RC_GTEST_PROP(FileHeads, any_259_bytes_of_2023_decode_and_encode_to_themselves, ()) {
  const auto bytes = arbitrary_bytes<kFileHead2023Size>();
  RC_ASSERT(encode(decode_file_head_2023(bytes)) == bytes);
}

RC_GTEST_PROP(Replies, survive_the_wire_and_may_be_longer_but_not_shorter, (uint8_t extra)) {
  const auto key = arbitrary_bytes<kKeyReplySize>();
  const auto file = arbitrary_bytes<kFileReplySize>();
  Bytes longer(file.begin(), file.end());
  longer.resize(file.size() + extra);
  RC_ASSERT(encode(*parse_key_reply(key)) == key);
  RC_ASSERT(encode(*parse_file_reply(longer)) == file);
  RC_ASSERT(!parse_key_reply(std::span(key).first(kKeyReplySize - 1)));
  RC_ASSERT(!parse_file_reply(std::span(file).first(kFileReplySize - 1)));
}

TEST(Replies, may_leave_out_the_id_where_servers_do) {
  EXPECT_FALSE(parse_optional_id({}));
  EXPECT_TRUE(parse_optional_id(Bytes(16)));
  EXPECT_FALSE(parse_id_reply(Bytes(15)));
}

}  // namespace
}  // namespace cb::v3
