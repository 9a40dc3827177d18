// SPDX-License-Identifier: Apache-2.0
//
// 32 bytes and 3 of their hash make 280 bits: 56 characters of five bits, without padding.
#include "core/client/recovery_code.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/identity/signing.h"

namespace cb::client {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr size_t kCodeSize = 32;
constexpr size_t kCodeCheckSize = 3;
constexpr size_t kGroup = 7;
constexpr size_t kCharacters = (kCodeSize + kCodeCheckSize) * 8 / 5;
constexpr unsigned kBitsEach = 5;

constexpr const char* kCompare = "compare it with the paper, group by group";

bool is_filler(char c) { return c == '-' || c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The five bits of a character; nothing for one that no code has.
std::optional<uint32_t> bits_of(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  // Digits that the alphabet lacks look like letters that it has.
  if (c == '0') c = 'O';
  if (c == '1') c = 'I';
  if (c == '8') c = 'B';
  const size_t at = kAlphabet.find(c);
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<uint32_t>(at);
}

// The characters that count, at most one more than a code has.
Secret without_filler(std::string_view text) {
  Secret kept(kCharacters + 1);
  size_t size = 0;
  for (const char c : text)
    if (!is_filler(c) && size < kept.size()) kept.span()[size++] = static_cast<std::byte>(c);
  kept.truncate(size);
  return kept;
}

Result<Secret> from_base32(std::string_view characters) {
  Secret bytes(kCodeSize + kCodeCheckSize);
  uint32_t pending = 0;
  unsigned bits = 0;
  size_t out = 0;
  for (size_t i = 0; i < characters.size(); ++i) {
    const std::optional<uint32_t> five = bits_of(characters[i]);
    if (!five)
      return failed(Code::invalid, "recovery code",
                    "no code has the character at place " + std::to_string(i % kGroup + 1) +
                        " of group " + std::to_string(i / kGroup + 1),
                    kCompare);
    pending = (pending << kBitsEach | *five) & 0xfff;
    bits += kBitsEach;
    if (bits < 8) continue;
    bits -= 8;
    bytes.span()[out++] = static_cast<std::byte>((pending >> bits) & 0xff);
  }
  return bytes;
}

}  // namespace

std::string format_recovery_code(ByteView code) {
  const identity::Hash hash = identity::sha256(code);
  Secret bytes(kCodeSize + kCodeCheckSize);
  std::copy_n(code.begin(), kCodeSize, bytes.span().begin());
  std::copy_n(hash.begin(), kCodeCheckSize, bytes.span().begin() + kCodeSize);
  std::string text;
  text.reserve(kCharacters + kCharacters / kGroup);
  for (size_t i = 0; i < kCharacters; ++i) {
    if (i > 0 && i % kGroup == 0) text += '-';
    uint32_t five = 0;
    for (size_t bit = i * kBitsEach; bit < (i + 1) * kBitsEach; ++bit) {
      const auto byte = std::to_integer<uint32_t>(bytes.view()[bit / 8]);
      five = five << 1 | ((byte >> (7 - bit % 8)) & 1);
    }
    text += kAlphabet[five];
  }
  return text;
}

Result<Secret> parse_recovery_code(std::string_view text) {
  const Secret kept = without_filler(text);
  if (kept.size() != kCharacters)
    return failed(Code::invalid, "recovery code",
                  "has " +
                      (kept.size() > kCharacters ? "more than 56" : std::to_string(kept.size())) +
                      " characters instead of 56",
                  kCompare);
  CB_ASSIGN(Secret bytes, from_base32(as_text(kept.view())));
  const identity::Hash hash = identity::sha256(bytes.view().first(kCodeSize));
  const ByteView check = bytes.view().subspan(kCodeSize);
  if (!std::equal(check.begin(), check.end(), hash.begin()))
    return failed(Code::invalid, "recovery code", "has a typing error: its checksum does not fit",
                  kCompare);
  bytes.truncate(kCodeSize);
  return bytes;
}

bool looks_like_recovery_code(std::string_view text) {
  const Secret kept = without_filler(text);
  const std::string_view characters = as_text(kept.view());
  return characters.size() == kCharacters &&
         std::all_of(characters.begin(), characters.end(), [](char c) { return bits_of(c); });
}

}  // namespace cb::client
