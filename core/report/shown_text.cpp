// SPDX-License-Identifier: Apache-2.0
#include "core/report/shown_text.h"

#include "core/base/utf8.h"

namespace cb::report {
std::string shown_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Utf8Character next = first_character(text);
    if (next.size == 0)
      out += "\xef\xbf\xbd";
    else if (!next.is_harmless())
      out += '?';
    else
      out += text.substr(0, next.size);
    text.remove_prefix(next.size == 0 ? 1 : next.size);
  }
  return out;
}

std::string shown_lines(std::string_view text) {
  std::string out;
  while (true) {
    const size_t end = text.find_first_of("\n\t");
    out += shown_text(text.substr(0, end));
    if (end == text.npos) return out;
    out += text[end];
    text.remove_prefix(end + 1);
  }
}

}  // namespace cb::report
