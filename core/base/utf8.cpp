// SPDX-License-Identifier: Apache-2.0
#include "core/base/utf8.h"

#include <array>

namespace cb {
namespace {

// How many bytes the sequence with this first byte has; 0 for a byte that cannot be first.
size_t sequence_size(uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  if (first >= 0xf0 && first <= 0xf4) return 4;
  return 0;
}

bool is_legal(uint32_t point, size_t size) {
  constexpr std::array<uint32_t, 5> kLowest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  return point >= kLowest[size] && point <= 0x10ffff && !surrogate;
}

}  // namespace

Utf8Character first_character(std::string_view text) {
  if (text.empty()) return {};
  const auto first = static_cast<uint8_t>(text.front());
  const size_t size = sequence_size(first);
  if (size == 0 || size > text.size()) return {};
  uint32_t point = size == 1 ? first : first & (0x7fU >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xc0) != 0x80) return {};
    point = point << 6 | (byte & 0x3fU);
  }
  if (!is_legal(point, size)) return {};
  return {point, size};
}

}  // namespace cb
