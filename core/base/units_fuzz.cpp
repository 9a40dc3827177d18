// SPDX-License-Identifier: Apache-2.0
//
// Any text as a size, a duration, hex, base64 and UTF-8: what is taken is not negative, and what is
// written of it is taken again as the same.
#include <cstdlib>

#include "core/base/bytes.h"
#include "core/base/units.h"
#include "core/base/utf8.h"

using namespace cb;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void walk(std::string_view text) {
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    require(character.size <= 4 && character.size <= text.size() && character.point <= 0x10ffff);
    text.remove_prefix(character.size == 0 ? 1 : character.size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto bytes = parse_size(text)) {
    require(*bytes >= 0 && parse_size(std::to_string(*bytes)) == *bytes);
    (void)format_size(static_cast<uint64_t>(*bytes));
  }
  if (const auto time = parse_duration(text)) {
    require(time->count() >= 0 && parse_duration(std::to_string(time->count()) + "ns") == *time);
    (void)format_duration(*time);
  }
  if (const auto bytes = from_hex(text)) require(*from_hex(to_hex(*bytes)) == *bytes);
  if (const auto bytes = from_base64(text)) require(*from_base64(to_base64(*bytes)) == *bytes);
  walk(text);
  return 0;
}
