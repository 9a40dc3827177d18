// SPDX-License-Identifier: Apache-2.0
//
// See kem.h.
#include "kem.h"

#include <openssl/err.h>

namespace crypto_modern {

namespace {

View text(std::string_view from) { return std::as_bytes(std::span(from)); }

PublicKey private_key(const X25519Private& own) {
  PublicKey key(
      EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, in(own.view()), kX25519Size));
  require(key != nullptr, "take an X25519 private key");
  return key;
}

// ExtractAndExpand of RFC 9180 section 4.1: kem_id 0x0020, result of 32 bytes.
void extract_and_expand(const Algorithms& algorithms, const SharedSecret& dh,
                        const X25519Public& ephemeral, const X25519Public& recipient,
                        SharedSecret& result) {
  static constexpr std::string_view kSuiteId("KEM\0\x20", 5);
  static constexpr std::string_view kLength("\0\x20", 2);
  const View version = text("HPKE-v1");
  const Hmac eae_prk =
      hkdf_extract(algorithms, {}, {version, text(kSuiteId), text("eae_prk"), dh.view()});
  hkdf_expand(eae_prk,
              {text(kLength), version, text(kSuiteId), text("shared_secret"), ephemeral, recipient},
              result.span());
}

}  // namespace

X25519Public x25519_public(const X25519Private& own) {
  const PublicKey key = private_key(own);
  X25519Public half;
  size_t length = half.size();
  require(EVP_PKEY_get_raw_public_key(key.get(), out(half), &length) == 1 && length == half.size(),
          "compute an X25519 public key");
  return half;
}

bool x25519(const X25519Private& own, const X25519Public& peer, SharedSecret& result) {
  const PublicKey key = private_key(own);
  const PublicKey other(
      EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, in(peer), peer.size()));
  require(other != nullptr, "take an X25519 public key");
  const PublicKeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  require(context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
              EVP_PKEY_derive_set_peer(context.get(), other.get()) == 1,
          "prepare X25519");
  size_t length = result.span().size();
  if (EVP_PKEY_derive(context.get(), out(result.span()), &length) == 1 && length == kX25519Size)
    return true;
  ERR_clear_error();
  return false;
}

bool dhkem_encapsulate(const Algorithms& algorithms, const X25519Private& ephemeral,
                       const X25519Public& recipient, SharedSecret& result) {
  SharedSecret dh;
  if (!x25519(ephemeral, recipient, dh)) return false;
  extract_and_expand(algorithms, dh, x25519_public(ephemeral), recipient, result);
  return true;
}

bool dhkem_decapsulate(const Algorithms& algorithms, const X25519Private& recipient,
                       const X25519Public& ephemeral, SharedSecret& result) {
  SharedSecret dh;
  if (!x25519(recipient, ephemeral, dh)) return false;
  extract_and_expand(algorithms, dh, ephemeral, x25519_public(recipient), result);
  return true;
}

}  // namespace crypto_modern
