// SPDX-License-Identifier: Apache-2.0
//
// AES keys of protocol v3 and the CBC streams under them: a zero IV, PKCS#7 padding in the last
// chunk, nothing that authenticates. A Key is immutable and may be used by several threads; a Seal
// and an Open by one.
#pragma once

#include <array>

#include "openssl.h"

namespace crypto_legacy {

inline constexpr size_t kBlock = 16;
inline constexpr size_t kKeyMax = 32;
inline constexpr size_t kChunkPlain = 65536;
inline constexpr uint64_t kMaxChunks = uint64_t{1} << 32;

// Fetched once per instance, for that is slow in OpenSSL 3.0. Immutable.
struct Ciphers {
  Ciphers();
  // Null when no AES key has that many bytes.
  [[nodiscard]] const EVP_CIPHER* for_key_of(size_t bytes) const;

  Cipher aes_128, aes_192, aes_256;
};

class Seal {
 public:
  explicit Seal(CipherContext context) : context_(std::move(context)) {}

  // Encrypts the next chunk and returns its size: plain.size(), or with padding when it is the
  // last.
  size_t chunk(View plain, bool last, Span sealed);

 private:
  CipherContext context_;
};

class Open {
 public:
  explicit Open(CipherContext context) : context_(std::move(context)) {}

  // Decrypts the next chunk and returns the bytes of plaintext. CB_E_STATE when `index` is not the
  // next one, CB_E_CORRUPT when the size or the padding is impossible.
  size_t chunk(uint64_t index, bool last, View sealed, Span plain);

 private:
  CipherContext context_;
  uint64_t next_ = 0;
  bool ended_ = false;
};

class Key {
 public:
  // `raw` has 16, 24 or 32 bytes: Ciphers::for_key_of knows it.
  Key(const Ciphers& ciphers, View raw);
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key();

  // Nothing can be bound into this stream, so `aad` must be empty: CB_E_INVALID otherwise.
  [[nodiscard]] std::unique_ptr<Seal> seal_begin(View aad, Bytes& header) const;
  // The header is empty too: CB_E_CORRUPT otherwise.
  [[nodiscard]] std::unique_ptr<Open> open_begin(View aad, View header) const;

 private:
  [[nodiscard]] CipherContext begin(bool seal) const;

  const EVP_CIPHER* cipher_;
  std::array<std::byte, kKeyMax> raw_{};
};

}  // namespace crypto_legacy
