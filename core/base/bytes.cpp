// SPDX-License-Identifier: Apache-2.0
#include "core/base/bytes.h"

#include <array>

namespace cb {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::array<int8_t, 256> make_base64_values() {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (size_t i = 0; i < kBase64Digits.size(); ++i)
    values[static_cast<unsigned char>(kBase64Digits[i])] = static_cast<int8_t>(i);
  return values;
}
constexpr auto kBase64Values = make_base64_values();

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) {
    text += kHexDigits[static_cast<size_t>(b) >> 4];
    text += kHexDigits[static_cast<size_t>(b) & 15];
  }
  return text;
}

Result<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return failed(Code::corrupt, "hex text", "has an odd number of digits");
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0)
      return failed(Code::corrupt, "hex text", "has a character not of 0-9a-f");
    bytes.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return bytes;
}

std::string to_base64(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t have = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j)
      group = (group << 8) | (j < have ? static_cast<uint32_t>(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j)
      text += j <= have ? kBase64Digits[(group >> (18 - 6 * j)) & 63] : '=';
  }
  return text;
}

// The one or two bytes of a last group of 2 or 3 digits.
static void append_incomplete_group(Bytes& bytes, uint32_t group, size_t digits) {
  if (digits >= 2)
    bytes.push_back(static_cast<std::byte>((group >> (digits == 2 ? 4 : 10)) & 0xff));
  if (digits == 3) bytes.push_back(static_cast<std::byte>((group >> 2) & 0xff));
}

Result<Bytes> from_base64(std::string_view text) {
  Bytes bytes;
  uint32_t group = 0;
  size_t digits = 0;
  size_t padding = 0;
  for (const char c : text) {
    if (is_space(c)) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const auto value = kBase64Values[static_cast<unsigned char>(c)];
    if (value < 0 || padding > 0)
      return failed(Code::corrupt, "base64 text", "has a character that does not belong there");
    group = (group << 6) | static_cast<uint32_t>(value);
    if (++digits % 4 == 0)
      for (int shift = 16; shift >= 0; shift -= 8)
        bytes.push_back(static_cast<std::byte>((group >> shift) & 0xff));
  }
  if ((digits + padding) % 4 != 0 || padding > 2 || digits % 4 == 1)
    return failed(Code::corrupt, "base64 text", "is cut short");
  append_incomplete_group(bytes, group, digits % 4);
  return bytes;
}

}  // namespace cb
