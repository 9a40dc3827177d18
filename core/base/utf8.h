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
};

// The one that `text` begins with.
Utf8Character first_character(std::string_view text);

}  // namespace cb
