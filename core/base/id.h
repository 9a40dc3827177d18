// SPDX-License-Identifier: Apache-2.0
//
// Ids that cannot be mixed up: a fixed number of bytes with a tag type. Plain values.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <string>

#include "core/base/bytes.h"

namespace cb {

template <typename Tag, size_t Size>
struct Id {
  static constexpr size_t kSize = Size;
  std::array<std::byte, Size> bytes{};

  auto operator<=>(const Id&) const = default;

  [[nodiscard]] ByteView view() const { return bytes; }
  [[nodiscard]] std::string hex() const { return to_hex(bytes); }
  [[nodiscard]] bool is_zero() const {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
  }

  // Code::corrupt unless `from` has exactly Size bytes.
  static Result<Id> from_bytes(ByteView from) {
    if (from.size() != Size)
      return failed(Code::corrupt, "id",
                    "has " + std::to_string(from.size()) + " bytes, not " + std::to_string(Size));
    Id id;
    std::copy(from.begin(), from.end(), id.bytes.begin());
    return id;
  }

  // Code::corrupt unless `text` is 2 * Size hex digits.
  static Result<Id> from_hex_text(std::string_view text) {
    CB_ASSIGN(const Bytes raw, from_hex(text));
    return from_bytes(raw);
  }
};

// The id in a v3 or v4 request header (legacy-protocol: 16 raw UUID bytes).
using ClientId = Id<struct ClientIdTag, 16>;

}  // namespace cb
