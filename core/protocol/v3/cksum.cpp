// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v3/cksum.h"

#include <array>

namespace cb::v3 {
namespace {

constexpr uint32_t kPolynomial = 0x04C11DB7;
constexpr size_t kSlices = 16;

using Table = std::array<uint32_t, 256>;

// tables[k][b]: what byte b does to the register when k zero bytes follow it.
constexpr std::array<Table, kSlices> make_tables() {
  std::array<Table, kSlices> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte << 24;
    for (int bit = 0; bit < 8; ++bit)
      value = (value << 1) ^ ((value & 0x80000000u) != 0 ? kPolynomial : 0);
    tables[0][byte] = value;
  }
  for (size_t slice = 1; slice < kSlices; ++slice)
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = (before << 8) ^ tables[0][before >> 24];
    }
  return tables;
}

constexpr std::array<Table, kSlices> kTables = make_tables();

uint32_t feed_byte(uint32_t reg, uint8_t byte) {
  return (reg << 8) ^ kTables[0][((reg >> 24) ^ byte) & 0xff];
}

// Feeds 16 bytes in one step; the register only meets the first four.
uint32_t feed_block(uint32_t reg, const uint8_t* at) {
  const uint32_t head = static_cast<uint32_t>(at[0]) << 24 | static_cast<uint32_t>(at[1]) << 16 |
                        static_cast<uint32_t>(at[2]) << 8 | static_cast<uint32_t>(at[3]);
  const uint32_t mixed = reg ^ head;
  uint32_t out = kTables[15][mixed >> 24] ^ kTables[14][(mixed >> 16) & 0xff] ^
                 kTables[13][(mixed >> 8) & 0xff] ^ kTables[12][mixed & 0xff];
  for (size_t i = 4; i < kSlices; ++i) out ^= kTables[kSlices - 1 - i][at[i]];
  return out;
}

}  // namespace

void Cksum::update(ByteView bytes) {
  const auto* at = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t left = bytes.size();
  uint32_t reg = register_;
  for (; left >= kSlices; left -= kSlices, at += kSlices) reg = feed_block(reg, at);
  for (; left > 0; --left, ++at) reg = feed_byte(reg, *at);
  register_ = reg;
  size_ += bytes.size();
}

uint32_t Cksum::value() const {
  uint32_t reg = register_;
  for (uint64_t size = size_; size != 0; size >>= 8)
    reg = feed_byte(reg, static_cast<uint8_t>(size & 0xff));
  return ~reg;
}

uint32_t cksum_of(ByteView bytes) {
  Cksum sum;
  sum.update(bytes);
  return sum.value();
}

}  // namespace cb::v3
