// SPDX-License-Identifier: Apache-2.0
//
// See hkdf.h.
#include "hkdf.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>

namespace crypto_modern {

Hash sha256(const Algorithms& algorithms, View data) {
  Hash digest;
  require(EVP_Digest(data.data(), data.size(), out(digest), nullptr, algorithms.sha256.get(),
                     nullptr) == 1,
          "SHA-256");
  return digest;
}

Hmac::Hmac(const Algorithms& algorithms, View key)
    : keyed_(EVP_MAC_CTX_new(algorithms.hmac.get())) {
  require(keyed_ != nullptr, "make an HMAC");
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_END};
  // A null key would mean "keep the former one", so an empty key still needs an address.
  static constexpr unsigned char kNothing = 0;
  const unsigned char* bytes = key.empty() ? &kNothing : in(key);
  require(EVP_MAC_init(keyed_.get(), bytes, key.size(), params) == 1, "set the key of an HMAC");
}

void Hmac::mac(Parts parts, std::span<std::byte, kHashSize> result) const {
  const MacContext context(EVP_MAC_CTX_dup(keyed_.get()));
  require(context != nullptr, "copy an HMAC");
  for (const View part : parts)
    require(EVP_MAC_update(context.get(), in(part), part.size()) == 1, "feed an HMAC");
  size_t length = 0;
  require(
      EVP_MAC_final(context.get(), out(result), &length, result.size()) == 1 && length == kHashSize,
      "finish an HMAC");
}

Hmac hkdf_extract(const Algorithms& algorithms, View salt, Parts key_material) {
  SecretArray<kHashSize> pseudorandom_key;
  Hmac(algorithms, salt).mac(key_material, pseudorandom_key.span());
  return Hmac(algorithms, pseudorandom_key.view());
}

void hkdf_expand(const Hmac& pseudorandom_key, Parts info, Span result) {
  require(result.size() <= 255 * kHashSize, "HKDF-Expand of that length");
  Bytes joined;
  for (const View part : info) joined.insert(joined.end(), part.begin(), part.end());
  SecretArray<kHashSize> block;
  size_t done = 0;
  for (unsigned round = 1; done < result.size(); ++round) {
    const std::byte number[] = {static_cast<std::byte>(round)};
    const View previous = round == 1 ? View() : View(block.view());
    pseudorandom_key.mac({previous, joined, number}, block.span());
    const size_t take = std::min(kHashSize, result.size() - done);
    std::copy_n(block.view().begin(), take, result.begin() + static_cast<ptrdiff_t>(done));
    done += take;
  }
}

}  // namespace crypto_modern
