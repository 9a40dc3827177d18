// SPDX-License-Identifier: Apache-2.0
//
// See aead.h.
#include "aead.h"

#include <openssl/err.h>

#ifdef CYBERBACKUP_TRIALS
#include <cstdlib>
#include <string_view>
#endif

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace crypto_modern {

namespace {

int int_size(View bytes) { return static_cast<int>(bytes.size()); }

#ifdef CYBERBACKUP_TRIALS
// For trials alone: does it show when what was altered is taken for right?
bool leaves_out_tags() {
  static const char* const broken = std::getenv("CYBERBACKUP_BREAK");
  return broken != nullptr && std::string_view(broken) == "tag";
}
#else
constexpr bool leaves_out_tags() { return false; }
#endif

// OpenSSL 3.0 takes the tag to verify through a pointer that is not const.
int set_tag(EVP_CIPHER_CTX* context, View tag) {
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, int_size(tag),
                             const_cast<std::byte*>(tag.data()));
}

bool refused(Span plain) {
  OPENSSL_cleanse(plain.data(), plain.size());
  ERR_clear_error();
  return false;
}

CipherContext siv_context(const Algorithms& algorithms, std::span<const std::byte, kSivKeySize> key,
                          bool seal) {
  CipherContext context(EVP_CIPHER_CTX_new());
  require(context != nullptr && EVP_CipherInit_ex2(context.get(), algorithms.aes_256_siv.get(),
                                                   in(key), nullptr, seal ? 1 : 0, nullptr) == 1,
          "set the key of AES-256-SIV");
  return context;
}

}  // namespace

Suite suite_of_this_cpu() {
#if defined(__x86_64__) || defined(__i386__)
  const bool fast = __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__aarch64__) && defined(__linux__)
  const bool fast = (getauxval(AT_HWCAP) & (HWCAP_AES | HWCAP_PMULL)) == (HWCAP_AES | HWCAP_PMULL);
#else
  const bool fast = false;
#endif
  return fast ? Suite::aes_256_gcm : Suite::chacha20_poly1305;
}

AeadKey::AeadKey(const Algorithms& algorithms, Suite suite,
                 std::span<const std::byte, kAeadKeySize> key, Direction direction)
    : context_(EVP_CIPHER_CTX_new()) {
  const EVP_CIPHER* cipher = suite == Suite::aes_256_gcm ? algorithms.aes_256_gcm.get()
                                                         : algorithms.chacha20_poly1305.get();
  require(
      context_ != nullptr && EVP_CipherInit_ex2(context_.get(), cipher, in(key), nullptr,
                                                direction == Direction::seal ? 1 : 0, nullptr) == 1,
      "set the key of the object cipher");
}

void AeadKey::seal(std::span<const std::byte, kNonceSize> nonce, View aad, View plain,
                   Span sealed) {
  EVP_CIPHER_CTX* const context = context_.get();
  int length = 0;
  require(EVP_EncryptInit_ex2(context, nullptr, nullptr, in(nonce), nullptr) == 1, "set a nonce");
  if (!aad.empty())
    require(EVP_EncryptUpdate(context, nullptr, &length, in(aad), int_size(aad)) == 1,
            "authenticate data");
  if (!plain.empty())
    require(EVP_EncryptUpdate(context, out(sealed), &length, in(plain), int_size(plain)) == 1,
            "encrypt a chunk");
  unsigned char none[kTagSize];
  require(EVP_EncryptFinal_ex(context, none, &length) == 1, "finish a chunk");
  require(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize,
                              sealed.data() + plain.size()) == 1,
          "take the tag of a chunk");
}

bool AeadKey::open(std::span<const std::byte, kNonceSize> nonce, View aad, View sealed,
                   Span plain) {
  EVP_CIPHER_CTX* const context = context_.get();
  const View text = sealed.first(sealed.size() - kTagSize);
  int length = 0;
  require(EVP_DecryptInit_ex2(context, nullptr, nullptr, in(nonce), nullptr) == 1, "set a nonce");
  require(set_tag(context, sealed.last(kTagSize)) == 1, "set the tag of a chunk");
  if (!aad.empty())
    require(EVP_DecryptUpdate(context, nullptr, &length, in(aad), int_size(aad)) == 1,
            "authenticate data");
  if (!text.empty() &&
      EVP_DecryptUpdate(context, out(plain), &length, in(text), int_size(text)) != 1)
    return refused(plain.first(text.size()));
  unsigned char none[kTagSize];
  const bool is_right = EVP_DecryptFinal_ex(context, none, &length) == 1 || leaves_out_tags();
  return is_right ? true : refused(plain.first(text.size()));
}

Bytes siv_seal(const Algorithms& algorithms, std::span<const std::byte, kSivKeySize> key, View aad,
               View plain) {
  const CipherContext context = siv_context(algorithms, key, true);
  Bytes sealed(kTagSize + plain.size());
  const Span text = Span(sealed).subspan(kTagSize);
  int length = 0;
  require(
      EVP_EncryptUpdate(context.get(), nullptr, &length, in(aad), int_size(aad)) == 1 &&
          EVP_EncryptUpdate(context.get(), out(text), &length, in(plain), int_size(plain)) == 1 &&
          EVP_EncryptFinal_ex(context.get(), out(text), &length) == 1 &&
          EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize, sealed.data()) == 1,
      "wrap a key");
  return sealed;
}

bool siv_open(const Algorithms& algorithms, std::span<const std::byte, kSivKeySize> key, View aad,
              View sealed, Span plain) {
  const CipherContext context = siv_context(algorithms, key, false);
  const View text = sealed.subspan(kTagSize);
  const Span result = plain.first(text.size());
  int length = 0;
  require(set_tag(context.get(), sealed.first(kTagSize)) == 1, "set the tag of a wrapped key");
  require(EVP_DecryptUpdate(context.get(), nullptr, &length, in(aad), int_size(aad)) == 1,
          "authenticate data");
  if (EVP_DecryptUpdate(context.get(), out(result), &length, in(text), int_size(text)) != 1 ||
      EVP_DecryptFinal_ex(context.get(), out(result), &length) != 1)
    return refused(result);
  return true;
}

}  // namespace crypto_modern
