// SPDX-License-Identifier: Apache-2.0
//
// Authenticated encryption under one key: AES-256-GCM and ChaCha20-Poly1305 (RFC 8439) with 12-byte
// nonces, and the deterministic AES-256-SIV (RFC 5297). An AeadKey is for one thread at a time.
#pragma once

#include <optional>

#include "openssl.h"

namespace crypto_modern {

inline constexpr size_t kNonceSize = 12;
inline constexpr size_t kTagSize = 16;
inline constexpr size_t kAeadKeySize = 32;
inline constexpr size_t kSivKeySize = 64;

// The numbers are those of the object header.
enum class Suite : uint8_t { aes_256_gcm = 1, chacha20_poly1305 = 2 };

// The faster of the two here: AES-256-GCM where the processor has instructions for AES and
// carry-less multiplication.
Suite suite_of_this_cpu();

// A key scheduled once for one direction, used with many nonces.
class AeadKey {
 public:
  enum class Direction { seal, open };

  AeadKey(const Algorithms& algorithms, Suite suite, std::span<const std::byte, kAeadKeySize> key,
          Direction direction);

  // Writes ciphertext || tag, plain.size() + kTagSize bytes.
  void seal(std::span<const std::byte, kNonceSize> nonce, View aad, View plain, Span sealed);

  // Writes sealed.size() - kTagSize bytes and returns true when the tag verifies. Otherwise
  // returns false and `plain` is wiped. `sealed` has at least kTagSize bytes.
  [[nodiscard]] bool open(std::span<const std::byte, kNonceSize> nonce, View aad, View sealed,
                          Span plain);

 private:
  CipherContext context_;
};

// AES-256-SIV with one string of associated data, which may not be empty: tag || ciphertext.
Bytes siv_seal(const Algorithms& algorithms, std::span<const std::byte, kSivKeySize> key, View aad,
               View plain);

// Fills `plain` (sealed.size() - kTagSize bytes) and returns true, or wipes it and returns false.
[[nodiscard]] bool siv_open(const Algorithms& algorithms,
                            std::span<const std::byte, kSivKeySize> key, View aad, View sealed,
                            Span plain);

}  // namespace crypto_modern
