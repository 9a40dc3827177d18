// SPDX-License-Identifier: Apache-2.0
//
// crypto-legacy: the cryptography of protocol v3, for talking to old clients and servers only. Keys
// travel under RSA-1024 with OAEP; data is AES-CBC with a zero IV and is not authenticated. The
// instance is immutable and may be used by several threads.
#include <algorithm>

#include "cyberbackup/cpp/config.hpp"
#include "cyberbackup/cpp/crypto.hpp"
#include "cyberbackup/cpp/entry.hpp"
#include "key.h"
#include "rsa.h"

namespace crypto_legacy {
namespace {

namespace sdk = cyberbackup::sdk;

enum : size_t { kOptionOaepHash, kOptionKeyBytes };

constexpr cb_option kOptions[] = {
    {"oaep_hash", "Hash of RSA-OAEP; the messages do not tell it, so it must fit the peer.",
     "sha256", "sha1|sha256", 0, 0, CB_OPTION_ENUM, 0},
    {"key_bytes", "Size of the AES keys made here; only the 2023 dialect wants 16.", "32", "16|32",
     0, 0, CB_OPTION_ENUM, 0},
};

// What an instance is made of; outlives its handles.
struct Engine {
  Ciphers ciphers;
  sdk::Host host;
  OaepHash hash;
  size_t key_bytes;
};

// Room for a key, wiped when it goes.
struct KeyRoom {
  KeyRoom() = default;
  KeyRoom(const KeyRoom&) = delete;
  KeyRoom& operator=(const KeyRoom&) = delete;
  ~KeyRoom() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

  std::array<std::byte, kRsaBytes> bytes{};
};

void require_no_context(View context) {
  if (!context.empty())
    throw sdk::Failure(CB_E_INVALID, "this suite cannot bind a context; give none");
}

class LegacyPair {
 public:
  LegacyPair(const Engine& engine, RsaKey rsa) : engine_(engine), rsa_(std::move(rsa)) {}

  [[nodiscard]] Bytes public_half() const { return rsa_.public_der(); }
  [[nodiscard]] Bytes private_form() const { return rsa_.private_der(); }

  [[nodiscard]] std::unique_ptr<Key> encapsulate(View context, Bytes& cipher) const {
    require_no_context(context);
    KeyRoom room;
    const Span raw = Span(room.bytes).first(engine_.key_bytes);
    engine_.host.random(raw);
    cipher = rsa_.encrypt(engine_.hash, raw);
    return std::make_unique<Key>(engine_.ciphers, raw);
  }

  [[nodiscard]] std::unique_ptr<Key> decapsulate(View context, View cipher) const {
    require_no_context(context);
    KeyRoom room;
    const size_t size = rsa_.decrypt(engine_.hash, cipher, room.bytes);
    if (engine_.ciphers.for_key_of(size) == nullptr)
      throw sdk::Failure(CB_E_CORRUPT, "the encapsulated bytes are not an AES key");
    return std::make_unique<Key>(engine_.ciphers, View(room.bytes).first(size));
  }

 private:
  const Engine& engine_;
  RsaKey rsa_;
};

class Legacy {
 public:
  using Pair = LegacyPair;
  using Key = crypto_legacy::Key;
  using Seal = crypto_legacy::Seal;
  using Open = crypto_legacy::Open;

  Legacy(const sdk::Host& host, const sdk::Config& config)
      : engine_{Ciphers(), host,
                config.text(kOptionOaepHash) == "sha1" ? OaepHash::sha1 : OaepHash::sha256,
                config.text(kOptionKeyBytes) == "16" ? size_t{16} : size_t{32}} {}

  void props(cb_crypto_props& props) const {
    props.chunk_plain = kChunkPlain;
    props.chunk_overhead = kBlock;
    props.header_size = 0;
    props.key_size = static_cast<uint32_t>(engine_.key_bytes);
    props.public_max = kPublicMax;
    props.private_max = kPrivateMax;
    props.kem_cipher_max = kRsaBytes;
    props.wrap_max = 0;
    props.max_chunks = kMaxChunks;
  }

  [[nodiscard]] std::unique_ptr<Pair> pair_new() const {
    return std::make_unique<Pair>(engine_, RsaKey::generate());
  }

  [[nodiscard]] std::unique_ptr<Pair> pair_import_private(View raw) const {
    return std::make_unique<Pair>(engine_, RsaKey::from_private(raw));
  }

  [[nodiscard]] std::unique_ptr<Pair> pair_import_public(View raw) const {
    return std::make_unique<Pair>(engine_, RsaKey::from_public(raw));
  }

  [[nodiscard]] std::unique_ptr<Key> key_import(View raw) const {
    return std::make_unique<Key>(engine_.ciphers, raw);
  }

 private:
  Engine engine_;
};

constexpr cb_descriptor kDescriptor = sdk::describe<Legacy>(
    {.id = "crypto-legacy",
     .interface_id = CB_CRYPTO_INTERFACE,
     .version = "0.1.0",
     .vendor = "CyberBackup",
     .license = "Apache-2.0",
     .summary = "RSA-1024 with OAEP and AES-CBC as protocol v3 uses them; unauthenticated",
     .status = "alpha",
     .posture = "untrusted-peer",
     .capabilities = CB_CRYPTO_KEM | CB_CRYPTO_STREAM | CB_CRYPTO_UNAUTHENTICATED},
    kOptions, sdk::crypto_ops<Legacy>());

}  // namespace
}  // namespace crypto_legacy

CB_PLUGIN_ENTRY(crypto_legacy::kDescriptor)
