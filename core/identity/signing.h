// SPDX-License-Identifier: Apache-2.0
//
// Ed25519 signatures (RFC 8032), SHA-256, Argon2id: what proves who somebody is. Functions are
// thread-safe.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/secret.h"
#include "core/os/random.h"

namespace cb::identity {

constexpr size_t kSeedSize = 32;
constexpr size_t kStretchedSize = 32;
using PublicKey = std::array<std::byte, 32>;
using SignatureBytes = std::array<std::byte, 64>;
using Hash = std::array<std::byte, 32>;

// A signing key; wiped when it goes. `sign` may be called by several threads.
class SigningKey {
 public:
  // Draws a new one.
  static Result<SigningKey> make(os::Random& random);
  // Code::corrupt unless the seed has 32 bytes.
  static Result<SigningKey> from_seed(ByteView seed);

  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  [[nodiscard]] const Secret& seed() const { return seed_; }
  [[nodiscard]] Result<SignatureBytes> sign(ByteView message) const;

 private:
  SigningKey() = default;
  Secret seed_;
  PublicKey public_key_{};
};

// Code::auth when the signature is not this key's over this message.
Status verify(const PublicKey& key, ByteView message, const SignatureBytes& signature);

Hash sha256(ByteView bytes);

// The first 16 bytes of SHA-256 of the public key: a device's id.
std::array<std::byte, 16> device_id_of(const PublicKey& key);

// The 32 bytes of Argon2id v1.3 with one lane (RFC 9106); salt of 16 bytes, `memory` in bytes. Slow
// on purpose: call on a worker. Code::invalid for parameters that Argon2id does not know,
// Code::no_memory when there is not that much. Whose parameters come from others must bound them.
Result<Secret> argon2id(std::string_view passphrase, ByteView salt, uint64_t operations,
                        uint64_t memory);

}  // namespace cb::identity
