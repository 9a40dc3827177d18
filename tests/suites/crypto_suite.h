// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the crypto suite share: a plugin loaded as in a host, a source of randomness
// that can be scripted or made to fail, and whole objects sealed and opened. Each LoadedCrypto is
// used by one test.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/log/capture.h"
#include "core/plugin/registry.h"

namespace cb::crypto_suite {

// A plugin with options; a new crypto plugin adds its configurations to kSubjects.
struct Subject {
  std::string name;  // part of the test's name
  std::string id;
  std::map<std::string, std::string> options;
};

inline const std::vector<Subject> kSubjects = {
    {"legacy_sha256", "crypto-legacy", {}},
    {"legacy_sha1_16", "crypto-legacy", {{"oaep_hash", "sha1"}, {"key_bytes", "16"}}},
    {"modern_auto", "crypto-modern", {}},
    {"modern_gcm", "crypto-modern", {{"cipher", "aes-256-gcm"}}},
    {"modern_chacha", "crypto-modern", {{"cipher", "chacha20-poly1305"}}},
};

inline std::string name_of_case(const testing::TestParamInfo<Subject>& info) {
  return info.param.name;
}

// The value, or a failed test.
template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

template <typename T>
std::optional<Code> code_of(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error().code);
}

// The system's randomness, unless told otherwise. Thread-safe.
class ScriptedRandom : public os::Random {
 public:
  Status fill(ByteSpan out) override;

  // The next bytes to hand out, before the system's.
  void script(ByteView bytes);
  // Fails every call with this code, until cleared.
  void fail_with(std::optional<Code> code);
  [[nodiscard]] uint64_t calls() const;

 private:
  mutable std::mutex mutex_;
  std::deque<std::byte> script_;
  std::optional<Code> failure_;
  uint64_t calls_ = 0;
};

// One plugin, loaded from the folder of the built plugins and configured as told.
class LoadedCrypto {
 public:
  explicit LoadedCrypto(const Subject& subject);

  plugin::Crypto* operator->() { return &*crypto_; }
  [[nodiscard]] bool has(uint64_t capability) const {
    return (crypto_->capabilities() & capability) != 0;
  }
  [[nodiscard]] bool authenticates() const { return !has(CB_CRYPTO_UNAUTHENTICATED); }
  [[nodiscard]] const cb_crypto_props& props() const { return props_; }
  ScriptedRandom& random() { return random_; }

  // A key of random bytes.
  plugin::Key new_key();
  // Associated data to seal with: none where the suite cannot bind any.
  [[nodiscard]] ByteView aad() const;
  // Another instance of the same plugin.
  plugin::Crypto make(const std::map<std::string, std::string>& options);

 private:
  std::string id_;
  ScriptedRandom random_;
  log::Capture log_;
  std::unique_ptr<plugin::Registry> registry_;
  std::optional<plugin::Crypto> crypto_;
  cb_crypto_props props_{};
};

// A sealed object in its parts.
struct Sealed {
  Bytes header;
  std::vector<Bytes> chunks;
};

// Seals all of `plain`: full chunks, then the rest (or the last full chunk) as the last.
Sealed seal_all(const plugin::Key& key, const cb_crypto_props& props, ByteView aad, ByteView plain);

// Opens an object from its first chunk to its last.
Result<Bytes> open_all(const plugin::Key& key, ByteView aad, const Sealed& sealed);

// Do the two stand for the same bytes? Found out by sealing with one and opening with the other.
bool same_key(LoadedCrypto& crypto, const plugin::Key& a, const plugin::Key& b);

// Room for output with a mark in every byte and a fence behind, to see what a call wrote.
class Room {
 public:
  explicit Room(size_t size) : bytes_(size + kFence, kMark), size_(size) {}

  [[nodiscard]] ByteSpan span() { return ByteSpan(bytes_).first(size_); }
  [[nodiscard]] bool fence_stands() const;
  // Does it hold any 8 bytes of `plain`, at the place where they belong?
  [[nodiscard]] bool shows(ByteView plain) const;

 private:
  static constexpr size_t kFence = 64;
  static constexpr std::byte kMark{0xc5};
  Bytes bytes_;
  size_t size_;
};

// Bytes that are the same in every run.
Bytes noise(size_t size, uint64_t seed = 1);

// A copy with one bit changed.
Bytes flipped(ByteView bytes, size_t bit);

}  // namespace cb::crypto_suite
