// SPDX-License-Identifier: Apache-2.0
//
// Bytes: views, owned buffers, little-endian integers, hex and base64. Functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/base/result.h"

namespace cb {

using ByteView = std::span<const std::byte>;
using ByteSpan = std::span<std::byte>;
using Bytes = std::vector<std::byte>;

// The bytes of a text; valid as long as the text.
inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// The text that these bytes are; valid as long as the bytes.
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }

// Reads or writes an unsigned integer, least significant byte first. Needs sizeof(T) bytes there.
template <typename T>
requires std::is_unsigned_v<T> T load_le(const std::byte* from) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>(value | (static_cast<T>(from[i]) << (8 * i)));
  return value;
}

template <typename T>
requires std::is_unsigned_v<T>
void store_le(std::byte* to, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) to[i] = static_cast<std::byte>((value >> (8 * i)) & 0xff);
}

// Lower-case hex.
std::string to_hex(ByteView bytes);

// Reads hex of either case; Code::corrupt on an odd length or another character.
Result<Bytes> from_hex(std::string_view text);

// Base64 (RFC 4648 section 4) with padding, on one line.
std::string to_base64(ByteView bytes);

// Reads base64; white space between characters is skipped. Code::corrupt on anything else.
Result<Bytes> from_base64(std::string_view text);

}  // namespace cb
