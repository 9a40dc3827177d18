// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v3/names.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/base/utf8.h"

namespace cb::v3 {
namespace {

constexpr size_t kMaxUserName = 100;

// The number of characters; none when malformed or with control characters.
std::optional<size_t> count_printable(std::string_view text) {
  size_t count = 0;
  while (!text.empty()) {
    const Utf8Character next = first_character(text);
    if (next.size == 0 || next.is_control()) return std::nullopt;
    text.remove_prefix(next.size);
    ++count;
  }
  return count;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_file_name_character(char c) {
  const char l = lower(c);
  if ((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9')) return true;
  if (static_cast<uint8_t>(c) >= 0x80) return true;  // UTF-8, checked as a whole
  return std::string_view("._- &#()+,").find(c) != std::string_view::npos;
}

// CON, PRN, AUX, NUL, COM0..9 and LPT0..9, with or without an extension.
bool is_device_name(std::string_view name) {
  std::string_view stem = name.substr(0, name.find('.'));
  while (!stem.empty() && stem.back() == ' ') stem.remove_suffix(1);
  const auto is = [](std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == y; });
  };
  if (is(stem, "con") || is(stem, "prn") || is(stem, "aux") || is(stem, "nul")) return true;
  if (stem.size() != 4 || stem[3] < '0' || stem[3] > '9') return false;
  return is(stem.substr(0, 3), "com") || is(stem.substr(0, 3), "lpt");
}

tl::unexpected<Error> bad_file_name(std::string cause) {
  return failed(Code::invalid, "file name", std::move(cause),
                "use letters, digits, spaces and . _ - & # ( ) + ,");
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t size = first_character(text).size;
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

Status check_user_name(std::string_view name) {
  const auto count = count_printable(name);
  if (!count) return failed(Code::invalid, "user name", "is not printable UTF-8");
  if (*count == 0) return failed(Code::invalid, "user name", "is empty");
  if (*count > kMaxUserName)
    return failed(Code::invalid, "user name",
                  "has " + std::to_string(*count) + " characters, at most 100 are allowed");
  if (name == kOwnerlessName) return failed(Code::invalid, "user name", "is the server's own");
  return {};
}

std::string_view last_component(std::string_view sent) {
  const size_t cut = sent.find_last_of("/\\");
  return cut == std::string_view::npos ? sent : sent.substr(cut + 1);
}

Result<std::string_view> stored_file_name(std::string_view sent) {
  if (sent.find("..") != std::string_view::npos) return bad_file_name("contains \"..\"");
  const std::string_view name = last_component(sent);
  if (name.find_first_not_of(". ") == std::string_view::npos)
    return bad_file_name(name.empty() ? "is empty" : "has only dots and spaces");
  if (!std::all_of(name.begin(), name.end(), is_file_name_character))
    return bad_file_name("has a character that is not allowed");
  if (!count_printable(name)) return bad_file_name("is not printable UTF-8");
  if (is_device_name(name)) return bad_file_name("is the name of a Windows device");
  return name;
}

}  // namespace cb::v3
