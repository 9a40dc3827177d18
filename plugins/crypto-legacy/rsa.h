// SPDX-License-Identifier: Apache-2.0
//
// RSA of protocol v3: 1024 bits, keys as DER, RSAES-OAEP with an empty label. A RsaKey is immutable
// and may be used by several threads.
#pragma once

#include "openssl.h"

namespace crypto_legacy {

inline constexpr int kRsaBits = 1024;
inline constexpr size_t kRsaBytes = 128;
// Exponents of up to 64 bits: 160 bytes with e = 17, 162 with e = 65537.
inline constexpr size_t kPublicMax = 168;
inline constexpr size_t kPrivateMax = 704;

// The hash of OAEP and of its mask; the messages do not say which one a peer uses.
enum class OaepHash { sha1, sha256 };

class RsaKey {
 public:
  // A new pair with e = 17, the exponent whose public form has 160 bytes. Random bytes are those of
  // OpenSSL.
  static RsaKey generate();

  // From an X.509 SubjectPublicKeyInfo, or a PKCS#8 PrivateKeyInfo. What follows the DER's own
  // length is ignored. Throws CB_E_CORRUPT when malformed, CB_E_UNSUPPORTED when not RSA-1024.
  static RsaKey from_public(View der);
  static RsaKey from_private(View der);

  [[nodiscard]] Bytes public_der() const;
  // CB_E_STATE when only the public half is there, as for decrypt. The caller wipes the result.
  [[nodiscard]] Bytes private_der() const;

  // Encrypts a short text (at most 62 bytes) into kRsaBytes.
  [[nodiscard]] Bytes encrypt(OaepHash hash, View text) const;

  // Writes the text into `text` (kRsaBytes are enough) and returns its size. CB_E_AUTH when
  // `cipher` was not made for this key and hash.
  size_t decrypt(OaepHash hash, View cipher, Span text) const;

 private:
  RsaKey(PublicKey key, bool has_private) : key_(std::move(key)), has_private_(has_private) {}
  void require_private() const;

  PublicKey key_;
  bool has_private_;
};

}  // namespace crypto_legacy
