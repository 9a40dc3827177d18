// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v3/public_key.h"

#include <algorithm>
#include <array>
#include <bit>

namespace cb::v3 {
namespace {

constexpr std::byte kInteger{0x02};
constexpr std::byte kBitString{0x03};
constexpr std::byte kObjectIdentifier{0x06};
constexpr std::byte kSequence{0x30};

// 1.2.840.113549.1.1.1
constexpr std::array<uint8_t, 9> kRsaEncryption{0x2a, 0x86, 0x48, 0x86, 0xf7,
                                                0x0d, 0x01, 0x01, 0x01};

// The content of the element at the start of `rest`, if it has this tag; `rest` goes on after it.
std::optional<ByteView> take(ByteView& rest, std::byte tag) {
  if (rest.size() < 2 || rest[0] != tag) return std::nullopt;
  auto size = std::to_integer<size_t>(rest[1]);
  size_t head = 2;
  if (size >= 0x80) {
    const size_t digits = size & 0x7f;
    if (digits == 0 || digits > 2 || rest.size() < 2 + digits) return std::nullopt;
    size = 0;
    for (; head < 2 + digits; ++head) size = size << 8 | std::to_integer<size_t>(rest[head]);
  }
  if (rest.size() - head < size) return std::nullopt;
  const ByteView content = rest.subspan(head, size);
  rest = rest.subspan(head + size);
  return content;
}

bool is_rsa(ByteView algorithm) {
  const auto name = take(algorithm, kObjectIdentifier);
  return name && std::ranges::equal(*name, std::as_bytes(std::span(kRsaEncryption)));
}

size_t bits_of(ByteView number) {
  while (!number.empty() && number[0] == std::byte{0}) number = number.subspan(1);
  if (number.empty()) return 0;
  return 8 * (number.size() - 1) + std::bit_width(std::to_integer<unsigned>(number[0]));
}

}  // namespace

std::optional<size_t> rsa_bits(ByteView der) {
  auto info = take(der, kSequence);
  if (!info) return std::nullopt;
  const auto algorithm = take(*info, kSequence);
  const auto packed = take(*info, kBitString);
  if (!algorithm || !is_rsa(*algorithm) || !packed || packed->empty()) return std::nullopt;
  ByteView inside = packed->subspan(1);  // after the number of unused bits
  auto key = take(inside, kSequence);
  if (!key) return std::nullopt;
  const auto modulus = take(*key, kInteger);
  if (!modulus) return std::nullopt;
  const size_t bits = bits_of(*modulus);
  return bits == 0 ? std::nullopt : std::optional(bits);
}

}  // namespace cb::v3
