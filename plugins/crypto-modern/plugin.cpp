// SPDX-License-Identifier: Apache-2.0
//
// crypto-modern: X25519 key encapsulation, HKDF-SHA-256, AES-SIV key wrap, HMAC-SHA-256 ids and
// sealed streams of AES-256-GCM or ChaCha20-Poly1305. Constructions: README.md. The instance is
// immutable and may be used by several threads.
#include <algorithm>

#include "cyberbackup/cpp/config.hpp"
#include "cyberbackup/cpp/crypto.hpp"
#include "cyberbackup/cpp/entry.hpp"
#include "key.h"

namespace crypto_modern {
namespace {

namespace sdk = cyberbackup::sdk;

enum : size_t { kOptionCipher };

constexpr cb_option kOptions[] = {
    {"cipher", "Cipher for new objects; auto takes the one that is faster on this processor.",
     "auto", "auto|aes-256-gcm|chacha20-poly1305", 0, 0, CB_OPTION_ENUM, 0},
};

Suite suite_of_choice(std::string_view choice) {
  if (choice == "aes-256-gcm") return Suite::aes_256_gcm;
  if (choice == "chacha20-poly1305") return Suite::chacha20_poly1305;
  return suite_of_this_cpu();
}

class Modern {
 public:
  using Pair = crypto_modern::Pair;
  using Key = crypto_modern::Key;
  using Seal = crypto_modern::Seal;
  using Open = crypto_modern::Open;

  Modern(const sdk::Host& host, const sdk::Config& config)
      : engine_{Algorithms(), host, suite_of_choice(config.text(kOptionCipher))} {}

  static void props(cb_crypto_props& props) {
    props.chunk_plain = kChunkPlain;
    props.chunk_overhead = kTagSize;
    props.header_size = kHeaderSize;
    props.key_size = kKeySize;
    props.public_max = kX25519Size;
    props.private_max = kX25519Size;
    props.kem_cipher_max = kX25519Size;
    props.wrap_max = kWrappedSize;
    props.max_chunks = kMaxChunks;
  }

  [[nodiscard]] std::unique_ptr<Pair> pair_new() const {
    X25519Private own;
    engine_.host.random(own.span());
    return std::make_unique<Pair>(engine_, own);
  }

  [[nodiscard]] std::unique_ptr<Pair> pair_import_private(View raw) const {
    X25519Private own;
    if (raw.size() != kX25519Size)
      throw sdk::Failure(CB_E_UNSUPPORTED, "the private key is not an X25519 key of 32 bytes");
    std::copy(raw.begin(), raw.end(), own.span().begin());
    return std::make_unique<Pair>(engine_, own);
  }

  [[nodiscard]] std::unique_ptr<Pair> pair_import_public(View raw) const {
    X25519Public half;
    if (raw.size() != half.size())
      throw sdk::Failure(CB_E_UNSUPPORTED, "the public key is not an X25519 key of 32 bytes");
    // X25519 ignores the top bit but the key schedule does not: keys have one encoding here.
    if ((raw.back() & std::byte{0x80}) != std::byte{0})
      throw sdk::Failure(CB_E_CORRUPT, "the public key is not in canonical form");
    std::copy(raw.begin(), raw.end(), half.begin());
    return std::make_unique<Pair>(engine_, half);
  }

  [[nodiscard]] std::unique_ptr<Key> key_import(View raw) const {
    if (raw.size() != kKeySize) throw sdk::Failure(CB_E_INVALID, "a key has 32 bytes");
    return std::make_unique<Key>(engine_, raw.first<kKeySize>());
  }

 private:
  Engine engine_;
};

constexpr cb_descriptor kDescriptor = sdk::describe<Modern>(
    {.id = "crypto-modern",
     .interface_id = CB_CRYPTO_INTERFACE,
     .version = "0.1.0",
     .vendor = "CyberBackup",
     .license = "Apache-2.0",
     .summary = "X25519 key encapsulation and sealed streams of AES-256-GCM or ChaCha20-Poly1305",
     .status = "alpha",
     .posture = "untrusted-peer",
     .capabilities = CB_CRYPTO_KEM | CB_CRYPTO_STREAM | CB_CRYPTO_KEYED_ID | CB_CRYPTO_KEY_WRAP |
                     CB_CRYPTO_KEY_DERIVE},
    kOptions, sdk::crypto_ops<Modern>());

}  // namespace
}  // namespace crypto_modern

CB_PLUGIN_ENTRY(crypto_modern::kDescriptor)
