// SPDX-License-Identifier: Apache-2.0
//
// The crypto adapter around a suite that only counts and marks: what is checked before the suite is
// entered, what is wiped, and what a failure leaves behind.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "cyberbackup/cpp/crypto.hpp"

namespace {

namespace sdk = cyberbackup::sdk;
using In = std::span<const std::byte>;
using Out = std::span<std::byte>;
using Vector = std::vector<std::byte>;

constexpr size_t kSecretSize = 4099;  // a size that nothing else here allocates
std::atomic<int> g_secrets_freed{0};
std::atomic<int> g_secrets_freed_plain{0};

}  // namespace

// Watches what memory looks like at the moment when a secret's vector lets go of it. Not inlined:
// an optimising gcc would take the pair, half of it inlined, for a mismatch.
[[gnu::noinline]] void* operator new(size_t size) {
  if (void* made = std::malloc(size == 0 ? 1 : size)) return made;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* gone) noexcept { std::free(gone); }
[[gnu::noinline]] void operator delete(void* gone, size_t size) noexcept {
  if (size == kSecretSize) {
    ++g_secrets_freed;
    const auto* bytes = static_cast<const volatile unsigned char*>(gone);
    for (size_t i = 0; i < size; ++i) {
      if (bytes[i] != 0) {
        ++g_secrets_freed_plain;
        break;
      }
    }
  }
  std::free(gone);
}

namespace {

struct Suite {
  struct Seal {
    size_t chunk(In plain, bool, Out out) {
      ++entered;
      std::fill(out.begin(), out.end(), std::byte{0xEE});
      if (fails) throw sdk::Failure(CB_E_INTERNAL, "broken");
      return plain.size() + 2;
    }
    static inline int entered = 0;
    static inline bool fails = false;
  };
  struct Open {
    size_t chunk(uint64_t, bool, In sealed, Out out) {
      ++entered;
      std::fill(out.begin(), out.end(), std::byte{0xDD});
      if (status != CB_OK) throw sdk::Failure(status, "does not verify");
      return sealed.size() - 2;
    }
    static inline int entered = 0;
    static inline cb_status status = CB_OK;
  };
  struct Key {
    Key() { ++alive; }
    ~Key() { --alive; }
    std::unique_ptr<Key> derive(std::string_view, In) const { return std::make_unique<Key>(); }
    Vector wrap(const Key&) const { return Vector(8, std::byte{1}); }
    std::unique_ptr<Key> unwrap(In) const { throw sdk::Failure(CB_E_AUTH, "no"); }
    std::unique_ptr<Seal> seal_begin(In, Vector& header) const {
      header.assign(3, std::byte{7});
      return std::make_unique<Seal>();
    }
    std::unique_ptr<Open> open_begin(In, In) const { return std::make_unique<Open>(); }
    static inline int alive = 0;
  };
  struct Pair {
    Vector public_half() const { return Vector(5, std::byte{5}); }
    Vector private_form() const { return Vector(kSecretSize, std::byte{0x5A}); }
    std::unique_ptr<Key> encapsulate(In, Vector& cipher) const {
      cipher.assign(6, std::byte{6});
      return std::make_unique<Key>();
    }
    std::unique_ptr<Key> decapsulate(In, In) const { return std::make_unique<Key>(); }
  };

  void props(cb_crypto_props& out) const {
    out.chunk_plain = 4;
    out.chunk_overhead = 2;
    out.max_chunks = 3;
  }
  std::unique_ptr<Key> key_import(In) const { return std::make_unique<Key>(); }
  std::unique_ptr<Pair> pair_new() const { return std::make_unique<Pair>(); }
  std::unique_ptr<Pair> pair_import_private(In) const { return nullptr; }
  std::unique_ptr<Pair> pair_import_public(In) const { return std::make_unique<Pair>(); }
};

struct CryptoAdapter : testing::Test {
  CryptoAdapter() {
    Suite::Seal::entered = Suite::Open::entered = 0;
    Suite::Seal::fails = false;
    Suite::Open::status = CB_OK;
    EXPECT_EQ(ops.key_import(instance, "k", 1, &key, nullptr), CB_OK);
    EXPECT_EQ(ops.pair_new(instance, &pair, nullptr), CB_OK);
  }
  ~CryptoAdapter() override {
    ops.key_free(key);
    ops.pair_free(pair);
    EXPECT_EQ(Suite::Key::alive, 0);
  }

  cb_seal* seal() {
    cb_seal* made = nullptr;
    EXPECT_EQ(ops.seal_begin(key, nullptr, 0, buffer, sizeof(buffer), &len, &made, nullptr), CB_OK);
    return made;
  }
  cb_open* open() {
    cb_open* made = nullptr;
    EXPECT_EQ(ops.open_begin(key, nullptr, 0, buffer, 3, &made, nullptr), CB_OK);
    return made;
  }
  cb_status put(cb_seal* to, size_t size, bool last, size_t cap) {
    std::memset(buffer, 0x11, sizeof(buffer));
    return ops.seal_chunk(to, "abcdefgh", size, last ? 1 : 0, buffer, cap, &len, nullptr);
  }
  cb_status get(cb_open* from, uint64_t index, size_t size, size_t cap) {
    std::memset(buffer, 0x11, sizeof(buffer));
    return ops.open_chunk(from, index, 0, "abcdefgh", size, buffer, cap, &len, nullptr);
  }

  Suite suite;
  cb_instance* instance = reinterpret_cast<cb_instance*>(&suite);
  const cb_crypto_ops& ops = sdk::crypto_ops<Suite>();
  cb_key* key = nullptr;
  cb_pair* pair = nullptr;
  unsigned char buffer[8192];
  size_t len = 0;
};

TEST_F(CryptoAdapter, a_secret_is_wiped_after_it_was_copied_and_when_it_did_not_fit) {
  g_secrets_freed = g_secrets_freed_plain = 0;
  EXPECT_EQ(ops.pair_private(pair, buffer, sizeof(buffer), &len, nullptr), CB_OK);
  EXPECT_EQ(len, kSecretSize);
  EXPECT_EQ(buffer[kSecretSize - 1], 0x5A);
  EXPECT_EQ(ops.pair_private(pair, buffer, 10, &len, nullptr), CB_E_TOO_SMALL);
  EXPECT_EQ(len, kSecretSize);
  EXPECT_EQ(g_secrets_freed, 2);
  EXPECT_EQ(g_secrets_freed_plain, 0);
}

TEST_F(CryptoAdapter, what_does_not_fit_leaves_no_handle) {
  const int before = Suite::Key::alive;
  cb_key* made = key;
  EXPECT_EQ(ops.encapsulate(pair, nullptr, 0, buffer, 5, &len, &made, nullptr), CB_E_TOO_SMALL);
  EXPECT_EQ(len, 6u);
  EXPECT_EQ(made, nullptr);
  EXPECT_EQ(Suite::Key::alive, before);
  cb_seal* begun = reinterpret_cast<cb_seal*>(this);
  EXPECT_EQ(ops.seal_begin(key, nullptr, 0, buffer, 2, &len, &begun, nullptr), CB_E_TOO_SMALL);
  EXPECT_EQ(len, 3u);
  EXPECT_EQ(begun, nullptr);
}

TEST_F(CryptoAdapter, a_maker_that_fails_or_makes_nothing_gives_null) {
  cb_key* made = key;
  EXPECT_EQ(ops.key_unwrap(key, "x", 1, &made, nullptr), CB_E_AUTH);
  EXPECT_EQ(made, nullptr);
  cb_pair* none = pair;
  EXPECT_EQ(ops.pair_import_private(instance, "x", 1, &none, nullptr), CB_E_INTERNAL);
  EXPECT_EQ(none, nullptr);
}

TEST_F(CryptoAdapter, a_chunk_that_cannot_be_sealed_does_not_reach_the_suite) {
  cb_seal* handle = seal();
  EXPECT_EQ(put(handle, 3, false, 64), CB_E_INVALID);
  EXPECT_EQ(put(handle, 5, true, 64), CB_E_INVALID);
  EXPECT_EQ(put(handle, 4, false, 5), CB_E_TOO_SMALL);
  EXPECT_EQ(len, 6u);
  EXPECT_EQ(buffer[0], 0x11);
  EXPECT_EQ(Suite::Seal::entered, 0);
  EXPECT_EQ(put(handle, 4, false, 6), CB_OK);
  EXPECT_EQ(put(handle, 0, true, 6), CB_OK);
  EXPECT_EQ(put(handle, 0, true, 6), CB_E_STATE);
  EXPECT_EQ(Suite::Seal::entered, 2);
  ops.seal_free(handle);
}

TEST_F(CryptoAdapter, an_object_has_a_largest_number_of_chunks) {
  cb_seal* handle = seal();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(put(handle, 4, false, 64), CB_OK);
  EXPECT_EQ(put(handle, 0, true, 64), CB_E_LIMIT);
  ops.seal_free(handle);
  cb_open* opened = open();
  EXPECT_EQ(get(opened, 2, 6, 64), CB_OK);
  EXPECT_EQ(get(opened, 3, 6, 64), CB_E_LIMIT);
  ops.open_free(opened);
}

TEST_F(CryptoAdapter, a_chunk_that_failed_to_seal_is_wiped_and_ends_the_seal) {
  cb_seal* handle = seal();
  Suite::Seal::fails = true;
  EXPECT_EQ(put(handle, 4, false, 64), CB_E_INTERNAL);
  EXPECT_EQ(len, 0u);
  EXPECT_EQ(std::count(buffer, buffer + 6, 0), 6);
  EXPECT_EQ(buffer[6], 0x11);
  Suite::Seal::fails = false;
  EXPECT_EQ(put(handle, 4, false, 64), CB_E_STATE);
  ops.seal_free(handle);
}

TEST_F(CryptoAdapter, a_chunk_that_does_not_verify_is_wiped_and_ends_the_open) {
  cb_open* handle = open();
  EXPECT_EQ(get(handle, 0, 6, 5), CB_E_TOO_SMALL);
  EXPECT_EQ(len, 6u);
  Suite::Open::status = CB_E_AUTH;
  EXPECT_EQ(get(handle, 0, 6, 64), CB_E_AUTH);
  EXPECT_EQ(len, 0u);
  EXPECT_EQ(std::count(buffer, buffer + 6, 0), 6);
  Suite::Open::status = CB_OK;
  EXPECT_EQ(get(handle, 0, 6, 64), CB_E_STATE);
  EXPECT_EQ(Suite::Open::entered, 1);
  ops.open_free(handle);
}

TEST_F(CryptoAdapter, a_chunk_out_of_turn_may_be_tried_again) {
  cb_open* handle = open();
  Suite::Open::status = CB_E_STATE;
  EXPECT_EQ(get(handle, 1, 6, 64), CB_E_STATE);
  Suite::Open::status = CB_OK;
  EXPECT_EQ(get(handle, 0, 6, 64), CB_OK);
  EXPECT_EQ(len, 4u);
  ops.open_free(handle);
}

TEST_F(CryptoAdapter, props_stay_inside_the_callers_record) {
  cb_crypto_props props;
  std::memset(&props, 0x33, sizeof(props));
  props.size = offsetof(cb_crypto_props, header_size);
  EXPECT_EQ(ops.props(instance, &props), CB_OK);
  EXPECT_EQ(props.chunk_plain, 4u);
  EXPECT_EQ(props.header_size, 0x33333333u);
}

TEST_F(CryptoAdapter, a_member_that_the_suite_lacks_leaves_a_hole) {
  EXPECT_EQ(ops.keyed_id, nullptr);
  EXPECT_EQ(ops.key_wrap, &sdk::detail::CryptoKeyTable<Suite>::key_wrap);
}

}  // namespace
