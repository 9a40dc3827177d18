// SPDX-License-Identifier: Apache-2.0
//
// Keys and ciphertexts of the load tool's clients.
#include "bench/load_crypto.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

namespace cb::bench {
namespace {

void need(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "load_v3: OpenSSL: %s failed\n", what);
  std::exit(1);
}

using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

std::optional<Bytes> open_with(EVP_PKEY* key, const EVP_MD* hash, ByteView wrapped) {
  const KeyContext context(EVP_PKEY_CTX_new(key, nullptr), EVP_PKEY_CTX_free);
  need(context && EVP_PKEY_decrypt_init(context.get()) > 0, "decrypt_init");
  need(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) > 0, "padding");
  need(EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), hash) > 0, "oaep hash");
  need(EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), hash) > 0, "mgf1 hash");
  Bytes out(wrapped.size());
  size_t size = out.size();
  const auto* from = reinterpret_cast<const unsigned char*>(wrapped.data());
  if (EVP_PKEY_decrypt(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, from,
                       wrapped.size()) <= 0) {
    ERR_clear_error();
    return std::nullopt;
  }
  out.resize(size);
  return out;
}

}  // namespace

RsaPair::RsaPair() : key_(nullptr, EVP_PKEY_free) {
  const KeyContext context(EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nullptr), EVP_PKEY_CTX_free);
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> exponent(BN_new(), BN_free);
  need(context && exponent && BN_set_word(exponent.get(), 17), "exponent");
  need(EVP_PKEY_keygen_init(context.get()) > 0, "keygen_init");
  need(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 1024) > 0, "bits");
  need(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), exponent.get()) > 0, "public exponent");
  EVP_PKEY* made = nullptr;
  need(EVP_PKEY_keygen(context.get(), &made) > 0, "keygen");
  key_.reset(made);
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(made, &der);
  need(size > 0, "i2d_PUBKEY");
  const auto* from = reinterpret_cast<const std::byte*>(der);
  public_der_.assign(from, from + size);
  OPENSSL_free(der);
}

std::optional<Bytes> RsaPair::open(ByteView wrapped) const {
  auto key = open_with(key_.get(), EVP_sha256(), wrapped);
  return key ? key : open_with(key_.get(), EVP_sha1(), wrapped);
}

Bytes encrypt(ByteView key, ByteView plain) {
  constexpr size_t kBlock = 16;
  constexpr size_t kPiece = size_t{1} << 30;  // OpenSSL counts in int
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  const std::array<unsigned char, kBlock> iv{};
  const auto* raw_key = reinterpret_cast<const unsigned char*>(key.data());
  const EVP_CIPHER* cipher = key.size() == kBlock ? EVP_aes_128_cbc() : EVP_aes_256_cbc();
  need(context && EVP_EncryptInit_ex(context.get(), cipher, nullptr, raw_key, iv.data()), "init");
  Bytes out((plain.size() / kBlock + 1) * kBlock);
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  int size = 0;
  while (!plain.empty()) {
    const ByteView piece = plain.first(std::min(plain.size(), kPiece));
    const auto* from = reinterpret_cast<const unsigned char*>(piece.data());
    need(EVP_EncryptUpdate(context.get(), to, &size, from, static_cast<int>(piece.size())),
         "encrypt");
    to += size;
    plain = plain.subspan(piece.size());
  }
  need(EVP_EncryptFinal_ex(context.get(), to, &size), "encrypt the last block");
  return out;
}

}  // namespace cb::bench
