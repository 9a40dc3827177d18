// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v3/cksum.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace cb::v3 {
namespace {

// The definition, one bit at a time.
uint32_t slow_cksum(const std::vector<uint8_t>& bytes) {
  uint32_t reg = 0;
  const auto feed = [&reg](uint8_t byte) {
    reg ^= static_cast<uint32_t>(byte) << 24;
    for (int bit = 0; bit < 8; ++bit)
      reg = (reg << 1) ^ ((reg & 0x80000000u) != 0 ? 0x04C11DB7u : 0u);
  };
  for (const uint8_t byte : bytes) feed(byte);
  for (size_t size = bytes.size(); size != 0; size >>= 8) feed(static_cast<uint8_t>(size & 0xff));
  return ~reg;
}

TEST(Cksum, agrees_with_coreutils) {
  EXPECT_EQ(cksum_of({}), 4294967295u);
  EXPECT_EQ(cksum_of(as_bytes("a")), 1220704766u);
  EXPECT_EQ(cksum_of(as_bytes("123456789")), 930766865u);
  EXPECT_EQ(cksum_of(Bytes(256)), 4215202376u);
  EXPECT_EQ(cksum_of(Bytes(65536)), 4215202376u);
}

RC_GTEST_PROP(Cksum, is_the_definition_however_the_bytes_are_cut,
              (const std::vector<uint8_t>& bytes, const std::vector<uint8_t>& cuts)) {
  Cksum sum;
  ByteView rest = std::as_bytes(std::span(bytes));
  for (const uint8_t cut : cuts) {
    const size_t size = std::min<size_t>(cut, rest.size());
    sum.update(rest.first(size));
    rest = rest.subspan(size);
  }
  sum.update(rest);
  RC_ASSERT(sum.value() == slow_cksum(bytes));
  RC_ASSERT(sum.size() == bytes.size());
}

TEST(Cksum, long_input_agrees_with_the_definition) {
  std::vector<uint8_t> bytes(300'001);
  uint32_t seed = 42;
  for (auto& byte : bytes) byte = static_cast<uint8_t>((seed = seed * 1664525 + 1013904223) >> 24);
  EXPECT_EQ(cksum_of(std::as_bytes(std::span(bytes))), slow_cksum(bytes));
}

}  // namespace
}  // namespace cb::v3
