// SPDX-License-Identifier: Apache-2.0
//
// Characters of UTF-8 (RFC 3629): the shortest form only, no surrogates, nothing past U+10FFFF.
// Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cb {

struct Utf8Character {
  uint32_t point = 0;
  size_t size = 0;  // bytes; 0: the text is empty, or begins with none

  // C0, DEL and C1.
  [[nodiscard]] bool is_control() const { return point < 0x20 || (point >= 0x7f && point < 0xa0); }
  // Separators of lines, and what turns the direction of text: shown, other text looks like it, or
  // it like other text.
  [[nodiscard]] bool is_layout() const {
    return (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
           point == 0x200e || point == 0x200f || point == 0x061c;
  }
  // May a terminal get it as it is?
  [[nodiscard]] bool is_harmless() const { return size > 0 && !is_control() && !is_layout(); }
};

// The one that `text` begins with.
Utf8Character first_character(std::string_view text);

}  // namespace cb
