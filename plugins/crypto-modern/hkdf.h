// SPDX-License-Identifier: Apache-2.0
//
// SHA-256, HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869). A Hmac is immutable once made and
// may be used by several threads.
#pragma once

#include <initializer_list>

#include "openssl.h"

namespace crypto_modern {

inline constexpr size_t kHashSize = 32;

using Hash = std::array<std::byte, kHashSize>;
using Parts = std::initializer_list<View>;

Hash sha256(const Algorithms& algorithms, View data);

// A key for HMAC-SHA-256, prepared so that each use costs only the data.
class Hmac {
 public:
  Hmac(const Algorithms& algorithms, View key);

  // The MAC of the parts, one after the other.
  void mac(Parts parts, std::span<std::byte, kHashSize> result) const;

 private:
  MacContext keyed_;  // only ever duplicated
};

// HKDF-Extract: the pseudorandom key, ready for expand. An empty salt is allowed.
Hmac hkdf_extract(const Algorithms& algorithms, View salt, Parts key_material);

// HKDF-Expand: fills `result`, at most 255 * 32 bytes, bound to the info parts joined together.
void hkdf_expand(const Hmac& pseudorandom_key, Parts info, Span result);

}  // namespace crypto_modern
