// SPDX-License-Identifier: Apache-2.0
//
// Ed25519 and SHA-256 come from OpenSSL, Argon2id from libsodium.
#include "core/identity/signing.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>

#include "core/identity/openssl_handle.h"

namespace cb::identity {
namespace {

using ContextHandle = OpensslHandle<EVP_MD_CTX, EVP_MD_CTX_free>;
using DigestHandle = OpensslHandle<EVP_MD, EVP_MD_free>;

const unsigned char* raw(ByteView bytes) {
  static constexpr unsigned char kNothing = 0;
  return bytes.empty() ? &kNothing : reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* raw_out(ByteSpan bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

tl::unexpected<Error> signing_failed(const std::string& doing) {
  return failed(openssl_error("signing key", doing));
}

KeyHandle private_key(ByteView seed) {
  return KeyHandle(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(seed), seed.size()));
}

// A context of this thread, and the algorithm looked up once: looking it up takes longer than
// hashing a short record.
EVP_MD_CTX* digest_context() {
  thread_local const ContextHandle context(EVP_MD_CTX_new());
  return context.get();
}

const EVP_MD* sha256_algorithm() {
  static const DigestHandle algorithm(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  return algorithm.get();
}

}  // namespace

Result<SigningKey> SigningKey::make(os::Random& random) {
  Secret seed(kSeedSize);
  CB_TRY(random.fill(seed.span()));
  return from_seed(seed.view());
}

Result<SigningKey> SigningKey::from_seed(ByteView seed) {
  if (seed.size() != kSeedSize)
    return failed(Code::corrupt, "signing key",
                  "has " + std::to_string(seed.size()) + " bytes, not 32");
  SigningKey made;
  made.seed_ = Secret(seed);
  const KeyHandle key = private_key(seed);
  size_t size = made.public_key_.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), raw_out(made.public_key_), &size) != 1)
    return signing_failed("compute the public key");
  return made;
}

Result<SignatureBytes> SigningKey::sign(ByteView message) const {
  const KeyHandle key = private_key(seed_.view());
  const ContextHandle context(EVP_MD_CTX_new());
  SignatureBytes signature{};
  size_t size = signature.size();
  if (!key || !context ||
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), raw_out(signature), &size, raw(message), message.size()) != 1)
    return signing_failed("sign");
  return signature;
}

Status verify(const PublicKey& key, ByteView message, const SignatureBytes& signature) {
  const KeyHandle signer(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw(ByteView(key)), key.size()));
  const ContextHandle context(EVP_MD_CTX_new());
  const bool good =
      signer && context &&
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, signer.get()) == 1 &&
      EVP_DigestVerify(context.get(), raw(ByteView(signature)), signature.size(), raw(message),
                       message.size()) == 1;
  ERR_clear_error();
  if (good) return {};
  return failed(Code::auth, "signature", "is not that of key " + to_hex(ByteView(key).first(8)));
}

Hash sha256(ByteView bytes) {
  EVP_MD_CTX* context = digest_context();
  Hash hash{};
  // Fails only when there is no memory, or no OpenSSL, left to work with.
  if (context == nullptr || EVP_DigestInit_ex2(context, sha256_algorithm(), nullptr) != 1 ||
      EVP_DigestUpdate(context, raw(bytes), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(context, raw_out(hash), nullptr) != 1)
    std::abort();
  return hash;
}

std::array<std::byte, 16> device_id_of(const PublicKey& key) {
  const Hash hash = sha256(key);
  std::array<std::byte, 16> id{};
  std::copy_n(hash.begin(), id.size(), id.begin());
  return id;
}

Result<Secret> argon2id(std::string_view passphrase, ByteView salt, uint64_t operations,
                        uint64_t memory) {
  if (salt.size() != crypto_pwhash_SALTBYTES)
    return failed(Code::invalid, "passphrase",
                  "the salt has " + std::to_string(salt.size()) + " bytes, not 16");
  if (operations < crypto_pwhash_OPSLIMIT_MIN || operations > crypto_pwhash_OPSLIMIT_MAX ||
      memory < crypto_pwhash_MEMLIMIT_MIN || memory > crypto_pwhash_MEMLIMIT_MAX)
    return failed(Code::invalid, "passphrase",
                  "cannot be stretched with " + std::to_string(operations) + " passes over " +
                      std::to_string(memory) + " bytes");
  if (sodium_init() < 0) return failed(Code::internal, "libsodium", "does not start");
  Secret key(kStretchedSize);
  if (crypto_pwhash(raw_out(key.span()), key.size(), passphrase.data(), passphrase.size(),
                    raw(salt), operations, memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
    return failed(Code::no_memory, "passphrase",
                  "stretching it needs " + std::to_string(memory / (1024 * 1024)) +
                      " MiB of memory, which are not free",
                  "end other programs or use a machine with more memory");
  return key;
}

}  // namespace cb::identity
