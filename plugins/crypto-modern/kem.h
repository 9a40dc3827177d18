// SPDX-License-Identifier: Apache-2.0
//
// DHKEM(X25519, HKDF-SHA256) of RFC 9180 section 4.1 on raw keys of 32 bytes. Pure functions.
#pragma once

#include "hkdf.h"

namespace crypto_modern {

inline constexpr size_t kX25519Size = 32;

using X25519Public = std::array<std::byte, kX25519Size>;
using X25519Private = SecretArray<kX25519Size>;
using SharedSecret = SecretArray<32>;

// The public half of any 32 bytes.
X25519Public x25519_public(const X25519Private& own);

// X25519 (RFC 7748). False when the result would be all zero: the peer's point is of low order.
[[nodiscard]] bool x25519(const X25519Private& own, const X25519Public& peer, SharedSecret& result);

// Encap of RFC 9180 with the ephemeral key given; its public half is the encapsulation. False as
// for x25519.
[[nodiscard]] bool dhkem_encapsulate(const Algorithms& algorithms, const X25519Private& ephemeral,
                                     const X25519Public& recipient, SharedSecret& result);

// Decap of RFC 9180. False as for x25519.
[[nodiscard]] bool dhkem_decapsulate(const Algorithms& algorithms, const X25519Private& recipient,
                                     const X25519Public& ephemeral, SharedSecret& result);

}  // namespace crypto_modern
