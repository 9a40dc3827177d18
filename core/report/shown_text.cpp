// SPDX-License-Identifier: Apache-2.0
#include "core/report/shown_text.h"

#include "core/base/utf8.h"

namespace cb::report {
namespace {

// Separators of lines, and what turns the direction of text.
bool is_layout(uint32_t point) {
  return (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
         point == 0x200e || point == 0x200f || point == 0x061c;
}

}  // namespace

std::string shown_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Utf8Character next = first_character(text);
    if (next.size == 0)
      out += "\xef\xbf\xbd";
    else if (next.is_control() || is_layout(next.point))
      out += '?';
    else
      out += text.substr(0, next.size);
    text.remove_prefix(next.size == 0 ? 1 : next.size);
  }
  return out;
}

}  // namespace cb::report
