// SPDX-License-Identifier: Apache-2.0
#include "core/base/bytes.h"

#include <gtest/gtest.h>

namespace cb {
namespace {

TEST(Bytes, little_endian_integers_come_back) {
  std::array<std::byte, 4> memory{};
  store_le<uint32_t>(memory.data(), 0x01020304);
  EXPECT_EQ(memory[0], std::byte{4});
  EXPECT_EQ(memory[3], std::byte{1});
  EXPECT_EQ(load_le<uint32_t>(memory.data()), 0x01020304U);
}

TEST(Bytes, hex_of_either_case_is_read_and_rubbish_refused) {
  EXPECT_EQ(to_hex(from_hex("00fFa1").value()), "00ffa1");
  EXPECT_EQ(from_hex("0").error().code, Code::corrupt);
  EXPECT_EQ(from_hex("0g").error().code, Code::corrupt);
}

// RFC 4648 section 10.
TEST(Bytes, base64_follows_the_vectors_of_rfc_4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, packed] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), packed);
    EXPECT_EQ(as_text(from_base64(packed).value()), plain);
  }
}

TEST(Bytes, base64_over_several_lines_is_read) {
  EXPECT_EQ(as_text(from_base64("Zm9v\r\nYmFy\n").value()), "foobar");
}

TEST(Bytes, malformed_base64_is_corrupt) {
  for (const char* text : {"Zg", "Zg=", "Z===", "Zg==Zg==", "Zm9*", "Zm9v=", "A"})
    EXPECT_FALSE(from_base64(text)) << text;
}

}  // namespace
}  // namespace cb
