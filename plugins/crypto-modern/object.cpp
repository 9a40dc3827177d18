// SPDX-License-Identifier: Apache-2.0
//
// See object.h.
#include "object.h"

#include <string>

#include "cyberbackup/cpp/failure.hpp"

namespace crypto_modern {

namespace {

using cyberbackup::sdk::Failure;

// The chunk's index in 11 bytes, most significant first, then 1 for the last chunk, else 0.
std::array<std::byte, kNonceSize> nonce_of(uint64_t index, bool last) {
  std::array<std::byte, kNonceSize> nonce{};
  for (size_t i = 0; i < 8; ++i)
    nonce[kNonceSize - 2 - i] = static_cast<std::byte>((index >> (8 * i)) & 0xff);
  nonce[kNonceSize - 1] = last ? std::byte{1} : std::byte{0};
  return nonce;
}

}  // namespace

std::optional<Suite> suite_of(View header) {
  const auto number = std::to_integer<uint8_t>(header.front());
  if (number == static_cast<uint8_t>(Suite::aes_256_gcm)) return Suite::aes_256_gcm;
  if (number == static_cast<uint8_t>(Suite::chacha20_poly1305)) return Suite::chacha20_poly1305;
  return std::nullopt;
}

Seal::Seal(const Algorithms& algorithms, Suite suite, const ObjectKey& key)
    : key_(algorithms, suite, key.view(), AeadKey::Direction::seal) {}

size_t Seal::chunk(View plain, bool last, Span sealed) {
  key_.seal(nonce_of(next_++, last), {}, plain, sealed);
  return plain.size() + kTagSize;
}

Open::Open(const Algorithms& algorithms, Suite suite, const ObjectKey& key)
    : key_(algorithms, suite, key.view(), AeadKey::Direction::open) {}

size_t Open::chunk(uint64_t index, bool last, View sealed, Span plain) {
  const size_t full = kChunkPlain + kTagSize;
  const bool possible =
      sealed.size() >= kTagSize && sealed.size() <= full && (last || sealed.size() == full);
  if (!possible || !key_.open(nonce_of(index, last), {}, sealed, plain))
    throw Failure(CB_E_AUTH,
                  "chunk " + std::to_string(index) + " of a sealed object does not verify");
  return sealed.size() - kTagSize;
}

}  // namespace crypto_modern
