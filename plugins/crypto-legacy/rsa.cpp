// SPDX-License-Identifier: Apache-2.0
//
// See rsa.h.
#include "rsa.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>

#include "cyberbackup/cpp/failure.hpp"

namespace crypto_legacy {

namespace {

using cyberbackup::sdk::Failure;

constexpr unsigned long kExponent = 17;

[[noreturn]] void refuse(cb_status status, const char* why) {
  ERR_clear_error();
  throw Failure(status, why);
}

// Refuses what is not RSA-1024, and numbers that no RSA key has.
void check_key(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") != 1) refuse(CB_E_UNSUPPORTED, "the key is not an RSA key");
  if (EVP_PKEY_get_bits(key) != kRsaBits)
    refuse(CB_E_UNSUPPORTED, "the RSA key has another size than 1024 bits");
  BIGNUM* raw_modulus = nullptr;
  BIGNUM* raw_exponent = nullptr;
  const int got = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &raw_modulus) &
                  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw_exponent);
  const BigNumber modulus(raw_modulus);
  const BigNumber exponent(raw_exponent);
  require(got == 1, "read the numbers of an RSA key");
  if (BN_is_odd(modulus.get()) != 1 || BN_is_odd(exponent.get()) != 1 ||
      BN_is_one(exponent.get()) == 1)
    refuse(CB_E_CORRUPT, "the RSA key has an impossible modulus or exponent");
  if (BN_num_bits(exponent.get()) > 64)
    refuse(CB_E_UNSUPPORTED, "the RSA key has an exponent of more than 64 bits");
}

// A key whose algorithm is RSA but that could not be read is malformed; another is not for us.
[[noreturn]] void refuse_unread(const ASN1_OBJECT* algorithm) {
  if (algorithm != nullptr && OBJ_obj2nid(algorithm) != NID_rsaEncryption)
    refuse(CB_E_UNSUPPORTED, "the key is not an RSA key");
  refuse(CB_E_CORRUPT, "the RSA key is malformed");
}

const char* name_of(OaepHash hash) { return hash == OaepHash::sha1 ? "SHA1" : "SHA256"; }

void set_oaep(EVP_PKEY_CTX* context, OaepHash hash) {
  require(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
              EVP_PKEY_CTX_set_rsa_oaep_md_name(context, name_of(hash), nullptr) == 1 &&
              EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, name_of(hash), nullptr) == 1,
          "set up OAEP");
}

PublicKeyContext context_of(EVP_PKEY* key) {
  PublicKeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  require(context != nullptr, "prepare RSA");
  return context;
}

}  // namespace

RsaKey RsaKey::generate() {
  const PublicKeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  const BigNumber exponent(BN_new());
  require(context != nullptr && exponent != nullptr &&
              BN_set_word(exponent.get(), kExponent) == 1 &&
              EVP_PKEY_keygen_init(context.get()) == 1 &&
              EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), kRsaBits) == 1 &&
              EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), exponent.get()) == 1,
          "prepare an RSA pair");
  EVP_PKEY* made = nullptr;
  require(EVP_PKEY_generate(context.get(), &made) == 1, "make an RSA pair");
  return RsaKey(PublicKey(made), true);
}

RsaKey RsaKey::from_public(View der) {
  const unsigned char* at = in(der);
  const PublicKeyInfo info(d2i_X509_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (info == nullptr) refuse_unread(nullptr);
  PublicKey key(X509_PUBKEY_get(info.get()));
  if (key == nullptr) {
    ASN1_OBJECT* algorithm = nullptr;
    X509_PUBKEY_get0_param(&algorithm, nullptr, nullptr, nullptr, info.get());
    refuse_unread(algorithm);
  }
  check_key(key.get());
  return RsaKey(std::move(key), false);
}

RsaKey RsaKey::from_private(View der) {
  const unsigned char* at = in(der);
  const PrivateKeyInfo info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (info == nullptr) refuse_unread(nullptr);
  PublicKey key(EVP_PKCS82PKEY(info.get()));
  if (key == nullptr) {
    const ASN1_OBJECT* algorithm = nullptr;
    PKCS8_pkey_get0(&algorithm, nullptr, nullptr, nullptr, info.get());
    refuse_unread(algorithm);
  }
  check_key(key.get());
  if (EVP_PKEY_pairwise_check(context_of(key.get()).get()) != 1)
    refuse(CB_E_CORRUPT, "the numbers of the RSA private key do not belong together");
  return RsaKey(std::move(key), true);
}

void RsaKey::require_private() const {
  if (!has_private_) throw Failure(CB_E_STATE, "only the public half of this pair is there");
}

Bytes RsaKey::public_der() const {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &der);
  require(size > 0, "write an RSA public key");
  const auto* bytes = reinterpret_cast<const std::byte*>(der);
  Bytes result(bytes, bytes + size);
  OPENSSL_free(der);
  return result;
}

Bytes RsaKey::private_der() const {
  require_private();
  const PrivateKeyInfo info(EVP_PKEY2PKCS8(key_.get()));
  unsigned char* der = nullptr;
  const int size = info == nullptr ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der);
  require(size > 0, "write an RSA private key");
  const auto* bytes = reinterpret_cast<const std::byte*>(der);
  Bytes result(bytes, bytes + size);
  OPENSSL_clear_free(der, static_cast<size_t>(size));
  return result;
}

Bytes RsaKey::encrypt(OaepHash hash, View text) const {
  const PublicKeyContext context = context_of(key_.get());
  require(EVP_PKEY_encrypt_init(context.get()) == 1, "prepare RSA encryption");
  set_oaep(context.get(), hash);
  Bytes cipher(kRsaBytes);
  size_t size = cipher.size();
  require(EVP_PKEY_encrypt(context.get(), out(cipher), &size, in(text), text.size()) == 1 &&
              size == kRsaBytes,
          "encrypt with RSA");
  return cipher;
}

size_t RsaKey::decrypt(OaepHash hash, View cipher, Span text) const {
  require_private();
  if (cipher.size() != kRsaBytes)
    throw Failure(CB_E_AUTH, "the encapsulated key has another size than 128 bytes");
  const PublicKeyContext context = context_of(key_.get());
  require(EVP_PKEY_decrypt_init(context.get()) == 1, "prepare RSA decryption");
  set_oaep(context.get(), hash);
  size_t size = text.size();
  if (EVP_PKEY_decrypt(context.get(), out(text), &size, in(cipher), cipher.size()) != 1)
    refuse(CB_E_AUTH, "the encapsulated key was not made for this key pair and OAEP hash");
  return size;
}

}  // namespace crypto_legacy
