// SPDX-License-Identifier: Apache-2.0
//
// The client's half of protocol v3's cryptography, straight on OpenSSL, so that the load tool does
// not measure the plugins against themselves. For one thread.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <optional>

#include "core/base/bytes.h"

namespace cb::bench {

class RsaPair {
 public:
  // RSA-1024 with public exponent 17. Ends the program when OpenSSL fails.
  RsaPair();

  [[nodiscard]] const Bytes& public_der() const { return public_der_; }  // 160 bytes
  // Opens an AES key, under OAEP with SHA-256 or SHA-1; nothing when neither fits.
  [[nodiscard]] std::optional<Bytes> open(ByteView wrapped) const;

 private:
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
  Bytes public_der_;
};

// AES-CBC, zero IV, PKCS#7, by the key's size. Ends the program when OpenSSL fails.
Bytes encrypt(ByteView key, ByteView plain);

}  // namespace cb::bench
