// SPDX-License-Identifier: Apache-2.0
//
// OpenSSL as this plugin sees it: owning handles, and how its failures are told. Pure functions.
#pragma once

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace crypto_legacy {

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

using BigNumber = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Cipher = std::unique_ptr<EVP_CIPHER, Freed<EVP_CIPHER_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;
using PublicKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using PublicKeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using PublicKeyInfo = std::unique_ptr<X509_PUBKEY, Freed<X509_PUBKEY_free>>;
using PrivateKeyInfo = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freed<PKCS8_PRIV_KEY_INFO_free>>;

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

}  // namespace crypto_legacy
