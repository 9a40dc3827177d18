// SPDX-License-Identifier: Apache-2.0
//
// Keys and key pairs of the suite. Both are immutable once made, so several threads may use one.
#pragma once

#include <string_view>

#include "cyberbackup/cpp/host.hpp"
#include "kem.h"
#include "object.h"

namespace crypto_modern {

inline constexpr size_t kKeySize = 32;
inline constexpr size_t kWrappedSize = kKeySize + kTagSize;

// What an instance is made of; outlives its handles.
struct Engine {
  Algorithms algorithms;
  cyberbackup::sdk::Host host;
  Suite suite;  // for new objects
};

class Key {
 public:
  Key(const Engine& engine, std::span<const std::byte, kKeySize> raw);

  [[nodiscard]] std::unique_ptr<Key> derive(std::string_view label, View context) const;
  [[nodiscard]] Bytes wrap(const Key& inner) const;
  [[nodiscard]] std::unique_ptr<Key> unwrap(View wrapped) const;
  void keyed_id(View data, std::span<std::byte, kHashSize> id) const;
  [[nodiscard]] std::unique_ptr<Seal> seal_begin(View aad, Bytes& header) const;
  [[nodiscard]] std::unique_ptr<Open> open_begin(View aad, View header) const;

 private:
  // Fills `result` for one purpose; the fields are bound in. See README.md, "Key schedule".
  void expand(std::string_view purpose, Parts fields, Span result) const;
  [[nodiscard]] ObjectKey object_key(View header, View aad) const;

  const Engine& engine_;
  SecretArray<kKeySize> raw_;
  Hmac root_;
  Hmac id_key_;
};

class Pair {
 public:
  // A pair of this private half, or a public half alone.
  Pair(const Engine& engine, const X25519Private& own);
  Pair(const Engine& engine, const X25519Public& half);

  [[nodiscard]] Bytes public_half() const;
  [[nodiscard]] Bytes private_form() const;
  [[nodiscard]] std::unique_ptr<Key> encapsulate(View context, Bytes& cipher) const;
  [[nodiscard]] std::unique_ptr<Key> decapsulate(View context, View cipher) const;

 private:
  [[nodiscard]] const X25519Private& own() const;

  const Engine& engine_;
  std::optional<X25519Private> own_;
  X25519Public half_;
};

}  // namespace crypto_modern
