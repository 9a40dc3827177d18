// SPDX-License-Identifier: Apache-2.0
#include "core/log/line_log.h"

#include <array>
#include <cstdio>

#include "core/base/utf8.h"

namespace cb::log {
namespace {

constexpr std::array<std::string_view, 5> kLevels = {"trace", "debug", "info", "warn", "error"};
constexpr size_t kLongestValue = 1024;

// The length of the printable UTF-8 character at `at`; 0 when there is none (control characters,
// what turns the direction of text, and malformed bytes).
size_t printable_at(std::string_view text, size_t at) {
  const Utf8Character next = first_character(text.substr(at));
  return next.is_harmless() ? next.size : 0;
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
