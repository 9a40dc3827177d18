// SPDX-License-Identifier: Apache-2.0
//
// See openssl.h.
#include "openssl.h"

#include <openssl/err.h>

#include <string>

#include "cyberbackup/cpp/failure.hpp"

namespace crypto_modern {

void openssl_failed(const char* doing) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(code);
  const std::string text = std::string(doing) + ": " + (reason != nullptr ? reason : "failed");
  const bool no_memory = ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
  ERR_clear_error();
  throw cyberbackup::sdk::Failure(no_memory ? CB_E_NO_MEMORY : CB_E_INTERNAL, text);
}

Algorithms::Algorithms()
    : aes_256_gcm(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)),
      chacha20_poly1305(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr)),
      aes_256_siv(EVP_CIPHER_fetch(nullptr, "AES-256-SIV", nullptr)),
      sha256(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
      hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr)) {
  require(aes_256_gcm != nullptr, "fetch AES-256-GCM");
  require(chacha20_poly1305 != nullptr, "fetch ChaCha20-Poly1305");
  require(aes_256_siv != nullptr, "fetch AES-256-SIV");
  require(sha256 != nullptr, "fetch SHA-256");
  require(hmac != nullptr, "fetch HMAC");
}

}  // namespace crypto_modern
