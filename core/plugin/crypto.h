// SPDX-License-Identifier: Apache-2.0
//
// A crypto plugin as C++ sees it: every call goes through the gate. A Crypto, KeyPair and Key may
// be used by several threads; each Seal and Open by one at a time. Handles keep their instance
// alive.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/id.h"
#include "core/base/secret.h"
#include "cyberbackup/crypto.h"

namespace cb::plugin {

class Instance;

// The name of plaintext under a key.
using KeyedId = Id<struct KeyedIdTag, CB_KEYED_ID_SIZE>;

// One object being sealed: header, then chunks (crypto.h).
class Seal {
 public:
  Seal(std::shared_ptr<Instance> instance, cb_seal* handle, Bytes header);
  Seal(Seal&& other) noexcept;
  Seal& operator=(Seal&& other) noexcept;
  ~Seal();

  [[nodiscard]] ByteView header() const { return header_; }
  // Seals the next chunk into `out` (plain.size() + chunk_overhead bytes) and returns the bytes
  // written.
  Result<size_t> chunk(ByteView plain, bool last, ByteSpan out);

 private:
  std::shared_ptr<Instance> instance_;
  cb_seal* handle_ = nullptr;
  Bytes header_;
};

class Open {
 public:
  Open(std::shared_ptr<Instance> instance, cb_open* handle);
  Open(Open&& other) noexcept;
  Open& operator=(Open&& other) noexcept;
  ~Open();

  // Opens chunk `index` into `out` (sealed.size() bytes are enough) and returns the bytes written.
  Result<size_t> chunk(uint64_t index, bool last, ByteView sealed, ByteSpan out);

 private:
  std::shared_ptr<Instance> instance_;
  cb_open* handle_ = nullptr;
};

class Key {
 public:
  Key(std::shared_ptr<Instance> instance, cb_key* handle);
  Key(Key&& other) noexcept;
  Key& operator=(Key&& other) noexcept;
  ~Key();

  Result<Key> derive(std::string_view label, ByteView context) const;
  Result<Bytes> wrap(const Key& inner) const;
  Result<Key> unwrap(ByteView wrapped) const;
  Result<KeyedId> id_of(ByteView data) const;
  Result<Seal> seal(ByteView aad) const;
  Result<Open> open(ByteView aad, ByteView header) const;

 private:
  std::shared_ptr<Instance> instance_;
  cb_key* handle_ = nullptr;
};

struct Encapsulated {
  Bytes cipher;  // for the pair's owner
  Key key;
};

class KeyPair {
 public:
  KeyPair(std::shared_ptr<Instance> instance, cb_pair* handle);
  KeyPair(KeyPair&& other) noexcept;
  KeyPair& operator=(KeyPair&& other) noexcept;
  ~KeyPair();

  Result<Bytes> public_half() const;
  Result<Secret> private_form() const;
  Result<Encapsulated> encapsulate(ByteView context) const;
  Result<Key> decapsulate(ByteView context, ByteView cipher) const;

 private:
  std::shared_ptr<Instance> instance_;
  cb_pair* handle_ = nullptr;
};

class Crypto {
 public:
  // The instance's interface is cb.crypto/1 (the registry checks).
  explicit Crypto(std::shared_ptr<Instance> instance);

  Result<cb_crypto_props> props() const;
  Result<KeyPair> pair_new() const;
  Result<KeyPair> import_private(ByteView raw) const;
  Result<KeyPair> import_public(ByteView raw) const;
  Result<Key> import_key(ByteView raw) const;

  [[nodiscard]] uint64_t capabilities() const;
  [[nodiscard]] const std::shared_ptr<Instance>& instance() const { return instance_; }

 private:
  std::shared_ptr<Instance> instance_;
};

}  // namespace cb::plugin
