// SPDX-License-Identifier: Apache-2.0
#include "core/client/recovery_code.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace cb::client {
namespace {

Bytes counting() {
  Bytes code(32);
  for (size_t i = 0; i < code.size(); ++i) code[i] = static_cast<std::byte>(i);
  return code;
}

TEST(RecoveryCode, keeps_its_text) {
  // python3: base64.b32encode(c + hashlib.sha256(c).digest()[:3]) with c = bytes(range(32))
  EXPECT_EQ(format_recovery_code(counting()),
            "AAAQEAY-EAUDAOC-AJBIFQY-DIOB4IB-CEQTCQK-RMFYYDE-NBWHA5D-YPWGDON");
  EXPECT_EQ(to_hex(parse_recovery_code(format_recovery_code(counting()))->view()),
            to_hex(counting()));
}

TEST(RecoveryCode, any_code_comes_back) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    Bytes code(32);
    for (std::byte& b : code) b = static_cast<std::byte>(random());
    const std::string text = format_recovery_code(code);
    ASSERT_EQ(text.size(), 63u);
    ASSERT_TRUE(looks_like_recovery_code(text));
    const auto back = parse_recovery_code(text);
    ASSERT_TRUE(back) << back.error().text();
    ASSERT_EQ(to_hex(back->view()), to_hex(code));
  }
}

TEST(RecoveryCode, may_be_typed_as_people_type) {
  std::string text = format_recovery_code(counting());
  const auto reads = [](const std::string& typed) {
    const auto read = parse_recovery_code(typed);
    return read && to_hex(read->view()) == to_hex(counting());
  };
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  EXPECT_TRUE(reads(lower));
  std::string joined = text;
  std::erase(joined, '-');
  EXPECT_TRUE(reads(joined));
  EXPECT_TRUE(reads("  " + joined.substr(0, 20) + " \n" + joined.substr(20) + "\n"));
  std::string digits = text;
  std::replace(digits.begin(), digits.end(), 'O', '0');
  std::replace(digits.begin(), digits.end(), 'I', '1');
  std::replace(digits.begin(), digits.end(), 'B', '8');
  EXPECT_NE(digits, text);
  EXPECT_TRUE(reads(digits));
}

TEST(RecoveryCode, each_typing_error_is_told) {
  const std::string good = format_recovery_code(counting());
  for (size_t at = 0; at < good.size(); ++at) {
    if (good[at] == '-') continue;
    for (const char c : std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZ2345679!")) {
      if (c == good[at]) continue;
      std::string bad = good;
      bad[at] = c;
      const auto read = parse_recovery_code(bad);
      ASSERT_FALSE(read) << bad;
      ASSERT_EQ(read.error().code, Code::invalid);
    }
    std::string left_out = good;
    left_out.erase(at, 1);
    ASSERT_FALSE(parse_recovery_code(left_out)) << left_out;
  }
  EXPECT_FALSE(parse_recovery_code(""));
  EXPECT_FALSE(parse_recovery_code(good + "A"));
  EXPECT_FALSE(parse_recovery_code(std::string(1'000'000, 'A')));
}

TEST(RecoveryCode, a_strange_character_is_named_by_its_place) {
  std::string bad = format_recovery_code(counting());
  bad[8 + 2] = '!';  // the third of the second group
  const auto read = parse_recovery_code(bad);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().cause.find("place 3 of group 2"), std::string::npos)
      << read.error().text();
}

TEST(RecoveryCode, is_told_from_passphrases) {
  EXPECT_FALSE(looks_like_recovery_code("correct horse battery staple"));
  EXPECT_FALSE(looks_like_recovery_code(""));
  EXPECT_FALSE(looks_like_recovery_code(std::string(55, 'A')));
  EXPECT_TRUE(looks_like_recovery_code(std::string(56, 'A')));
}

}  // namespace
}  // namespace cb::client
