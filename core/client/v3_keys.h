// SPDX-License-Identifier: Apache-2.0
//
// The RSA keys of a v3 client over the legacy suite, once for each OAEP hash, since no message says
// which one a server uses (legacy-protocol 5). Used by one thread at a time; functions block.
#pragma once

#include <vector>

#include "core/base/secret.h"
#include "core/plugin/crypto.h"

namespace cb::client {

// The legacy suite with either hash.
struct V3Suites {
  plugin::Crypto sha256;
  plugin::Crypto sha1;
};

class V3Keys {
 public:
  // Takes the private keys (PKCS#8 DER) that can be read, in their order. `suites` outlives this.
  static V3Keys load(const V3Suites& suites, const std::vector<Secret>& private_keys);

  [[nodiscard]] bool empty() const { return pairs_.empty(); }

  // Makes a new pair and puts it first.
  Status make_new();

  // The DER of the first pair's public key, to be sent.
  [[nodiscard]] Result<Bytes> public_key() const;
  // The first pair's private key, to be kept.
  [[nodiscard]] Result<Secret> private_key() const;

  // Recovers the AES key, trying every pair with both hashes; the pair that fits becomes the first.
  // Code::auth when none does.
  Result<plugin::Key> unwrap(ByteView wrapped);

 private:
  // One key pair, as both instances see it.
  struct Pair {
    plugin::KeyPair sha256;
    plugin::KeyPair sha1;
  };

  explicit V3Keys(const V3Suites& suites) : suites_(&suites) {}
  static Result<Pair> import(const V3Suites& suites, ByteView private_key);

  const V3Suites* suites_;
  std::vector<Pair> pairs_;
};

}  // namespace cb::client
