// SPDX-License-Identifier: Apache-2.0
//
// OpenSSL as this plugin sees it: owning handles, the algorithms it uses, fetched once, and memory
// that wipes itself. Algorithms are immutable and may be used by several threads.
#pragma once

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace crypto_modern {

using View = std::span<const std::byte>;
using Span = std::span<std::byte>;
using Bytes = std::vector<std::byte>;

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

using Cipher = std::unique_ptr<EVP_CIPHER, Freed<EVP_CIPHER_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;
using Digest = std::unique_ptr<EVP_MD, Freed<EVP_MD_free>>;
using Mac = std::unique_ptr<EVP_MAC, Freed<EVP_MAC_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Freed<EVP_MAC_CTX_free>>;
using PublicKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using PublicKeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;

// What EVP takes as `const unsigned char*`.
inline const unsigned char* in(View bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* out(Span bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

// Throws: OpenSSL failed where it must not. Takes its reason from the error queue and empties that.
[[noreturn]] void openssl_failed(const char* doing);

// Throws unless `ok`.
inline void require(bool ok, const char* doing) {
  if (!ok) [[unlikely]]
    openssl_failed(doing);
}

// N secret bytes, wiped when they go.
template <size_t N>
class SecretArray {
 public:
  SecretArray() = default;
  explicit SecretArray(std::span<const std::byte, N> from) {
    std::copy(from.begin(), from.end(), bytes_.begin());
  }
  SecretArray(const SecretArray&) = default;
  SecretArray& operator=(const SecretArray&) = default;
  ~SecretArray() { OPENSSL_cleanse(bytes_.data(), N); }

  [[nodiscard]] std::span<const std::byte, N> view() const { return bytes_; }
  [[nodiscard]] std::span<std::byte, N> span() { return bytes_; }

 private:
  std::array<std::byte, N> bytes_{};
};

// Fetching is slow in OpenSSL 3.0, so it happens once per instance.
struct Algorithms {
  Algorithms();

  Cipher aes_256_gcm;
  Cipher chacha20_poly1305;
  Cipher aes_256_siv;
  Digest sha256;
  Mac hmac;
};

}  // namespace crypto_modern
