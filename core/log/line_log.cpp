// SPDX-License-Identifier: Apache-2.0
#include "core/log/line_log.h"

#include <array>
#include <cstdio>

namespace cb::log {
namespace {

constexpr std::array<std::string_view, 5> kLevels = {"trace", "debug", "info", "warn", "error"};
constexpr size_t kLongestValue = 1024;

bool is_continuation(std::string_view text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

// How long a UTF-8 character with this first byte is; 0 when none begins so.
size_t length_by_lead(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

// What the second byte rules out: overlong forms, surrogates, numbers past the last character.
bool is_second_good(unsigned char lead, unsigned char second) {
  if (lead == 0xe0) return second >= 0xa0;
  if (lead == 0xed) return second < 0xa0;
  if (lead == 0xf0) return second >= 0x90;
  return lead != 0xf4 || second < 0x90;
}

// The length of the printable UTF-8 character at `at`; 0 when there is none (control characters and
// malformed bytes).
size_t printable_at(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t length = length_by_lead(lead);
  if (length <= 1) return lead >= 0x20 && lead != 0x7f ? length : 0;
  for (size_t i = 1; i < length; ++i)
    if (!is_continuation(text, at + i)) return 0;
  const auto second = static_cast<unsigned char>(text[at + 1]);
  const bool is_control = lead == 0xc2 && second < 0xa0;
  return !is_control && is_second_good(lead, second) ? length : 0;
}

// A raw byte; JSON knows no \x, so there the escape itself is escaped.
void append_byte(std::string& out, char byte, bool json) {
  std::array<char, 8> escape{};
  std::snprintf(escape.data(), escape.size(), json ? "\\\\x%02x" : "\\x%02x",
                static_cast<unsigned>(static_cast<unsigned char>(byte)));
  out += escape.data();
}

std::string escaped(std::string_view text, bool json) {
  const bool cut = text.size() > kLongestValue;
  if (cut) text = text.substr(0, kLongestValue);
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const size_t length = printable_at(text, at);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (length > 0) {
      out += text.substr(at, length);
    } else {
      append_byte(out, c, json);
    }
    at += length > 0 ? length : 1;
  }
  return cut ? out + "..." : out;
}

std::string quoted_if_needed(std::string_view value) {
  std::string safe = escaped(value, false);
  if (!value.empty() && safe == value && value.find_first_of(" =") == std::string_view::npos)
    return safe;
  return '"' + safe + '"';
}

}  // namespace

std::string_view name_of(Level level) { return kLevels.at(static_cast<size_t>(level)); }

std::optional<Level> level_named(std::string_view name) {
  for (size_t i = 0; i < kLevels.size(); ++i)
    if (kLevels[i] == name) return static_cast<Level>(i);
  return std::nullopt;
}

std::string text_line(std::string_view event, std::span<const Field> fields) {
  std::string line = "event=" + quoted_if_needed(event);
  for (const Field& field : fields)
    line += " " + std::string(field.key) + "=" + quoted_if_needed(field.value);
  return line;
}

std::string json_members(std::string_view event, std::span<const Field> fields) {
  std::string line = "\"event\":\"" + escaped(event, true) + '"';
  for (const Field& field : fields)
    line += ",\"" + escaped(field.key, true) + "\":\"" + escaped(field.value, true) + '"';
  return line;
}

}  // namespace cb::log
