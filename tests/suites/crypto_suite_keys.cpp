// SPDX-License-Identifier: Apache-2.0
//
// What crypto plugins must do with symmetric keys: import, derivation, wrap and keyed ids.
#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "tests/suites/crypto_suite.h"

namespace cb::crypto_suite {
namespace {

class CryptoKeys : public testing::TestWithParam<Subject> {
 protected:
  LoadedCrypto crypto_{GetParam()};
};

class CryptoKeyWrap : public CryptoKeys {
 protected:
  void SetUp() override {
    if (!crypto_.has(CB_CRYPTO_KEY_WRAP)) GTEST_SKIP() << "the plugin does not claim KEY_WRAP";
  }
  plugin::Key key_ = crypto_.new_key();
};

class CryptoKeyDerive : public CryptoKeys {
 protected:
  void SetUp() override {
    if (!crypto_.has(CB_CRYPTO_KEY_DERIVE)) GTEST_SKIP() << "the plugin does not claim KEY_DERIVE";
  }
};

class CryptoKeyedId : public CryptoKeys {
 protected:
  void SetUp() override {
    if (!crypto_.has(CB_CRYPTO_KEYED_ID)) GTEST_SKIP() << "the plugin does not claim KEYED_ID";
  }
  plugin::Key key_ = crypto_.new_key();
};

TEST_P(CryptoKeys, equal_bytes_make_equal_keys) {
  const Bytes raw = noise(crypto_.props().key_size);
  const plugin::Key key = must(crypto_->import_key(raw));
  EXPECT_TRUE(same_key(crypto_, key, must(crypto_->import_key(raw))));
  for (size_t bit = 0; bit < 8 * raw.size(); bit += 5)
    EXPECT_FALSE(same_key(crypto_, key, must(crypto_->import_key(flipped(raw, bit))))) << bit;
}

TEST_P(CryptoKeys, bytes_of_a_wrong_size_make_no_key) {
  for (const size_t size : {0U, 1U, 15U, 17U, 31U, 33U, 64U, 1000U})
    EXPECT_EQ(code_of(crypto_->import_key(noise(size))), Code::invalid) << size;
}

TEST_P(CryptoKeys, what_is_not_claimed_is_not_offered) {
  const plugin::Key key = crypto_.new_key();
  if (!crypto_.has(CB_CRYPTO_KEY_DERIVE)) {
    EXPECT_EQ(code_of(key.derive("label", {})), Code::unsupported);
  }
  if (!crypto_.has(CB_CRYPTO_KEY_WRAP)) {
    EXPECT_EQ(code_of(key.wrap(key)), Code::unsupported);
    EXPECT_EQ(code_of(key.unwrap(noise(48))), Code::unsupported);
  }
  if (!crypto_.has(CB_CRYPTO_KEYED_ID)) {
    EXPECT_EQ(code_of(key.id_of({})), Code::unsupported);
  }
}

TEST_P(CryptoKeyDerive, derivation_depends_on_all_it_is_given) {
  const Bytes raw = noise(crypto_.props().key_size);
  const plugin::Key root = must(crypto_->import_key(raw));
  const plugin::Key wanted = must(root.derive("label", as_bytes("context")));
  EXPECT_TRUE(same_key(crypto_, wanted, must(root.derive("label", as_bytes("context")))));
  EXPECT_TRUE(same_key(crypto_, wanted,
                       must(must(crypto_->import_key(raw)).derive("label", as_bytes("context")))));
  const std::pair<std::string_view, std::string_view> others[] = {
      {"label", "contexT"}, {"label", ""},        {"", "context"},
      {"Label", "context"}, {"labelc", "ontext"}, {"", "labelcontext"},
      {"labe", "lcontext"}, {"context", "label"}, {"labelcontext", ""}};
  for (const auto& [label, context] : others)
    EXPECT_FALSE(same_key(crypto_, wanted, must(root.derive(label, as_bytes(context)))))
        << label << " + " << context;
  EXPECT_FALSE(
      same_key(crypto_, wanted, must(crypto_.new_key().derive("label", as_bytes("context")))));
  EXPECT_FALSE(same_key(crypto_, wanted, root));
}

TEST_P(CryptoKeyWrap, a_wrapped_key_comes_back) {
  for (int round = 0; round < 20; ++round) {
    const plugin::Key inner = crypto_.new_key();
    const Bytes wrapped = must(key_.wrap(inner));
    EXPECT_LE(wrapped.size(), crypto_.props().wrap_max);
    EXPECT_TRUE(same_key(crypto_, inner, must(key_.unwrap(wrapped))));
  }
  EXPECT_TRUE(same_key(crypto_, key_, must(key_.unwrap(must(key_.wrap(key_)))))) << "itself";
}

TEST_P(CryptoKeyWrap, a_damaged_or_foreign_wrapped_key_is_noticed) {
  const plugin::Key inner = crypto_.new_key();
  const Bytes wrapped = must(key_.wrap(inner));
  for (size_t bit = 0; bit < 8 * wrapped.size(); ++bit)
    EXPECT_EQ(code_of(key_.unwrap(flipped(wrapped, bit))), Code::auth) << bit;
  for (size_t size = 0; size < wrapped.size() + 20; ++size) {
    if (size == wrapped.size()) continue;
    Bytes piece = wrapped;
    piece.resize(size);
    EXPECT_EQ(code_of(key_.unwrap(piece)), Code::auth) << size;
  }
  EXPECT_EQ(code_of(inner.unwrap(wrapped)), Code::auth);
  EXPECT_EQ(code_of(crypto_.new_key().unwrap(wrapped)), Code::auth);
}

TEST_P(CryptoKeyedId, ids_are_stable_and_depend_on_key_and_data) {
  const Bytes raw = noise(crypto_.props().key_size);
  const plugin::Key key = must(crypto_->import_key(raw));
  const Bytes data = noise(300);
  const plugin::KeyedId id = must(key.id_of(data));
  EXPECT_EQ(must(key.id_of(data)), id);
  EXPECT_EQ(must(must(crypto_->import_key(raw)).id_of(data)), id);
  EXPECT_NE(must(key_.id_of(data)), id);
  for (size_t bit = 0; bit < 8 * data.size(); bit += 11)
    EXPECT_NE(must(key.id_of(flipped(data, bit))), id) << bit;
  EXPECT_NE(must(key.id_of(ByteView(data).first(299))), id);
  EXPECT_NE(must(key.id_of({})), id);
}

TEST_P(CryptoKeyedId, one_key_names_for_several_threads) {
  std::vector<Bytes> all;
  std::vector<plugin::KeyedId> wanted;
  for (uint64_t i = 0; i < 100; ++i) {
    all.push_back(noise(100 * i, i));
    wanted.push_back(must(key_.id_of(all.back())));
  }
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (size_t i = 0; i < all.size(); ++i) {
        const auto id = key_.id_of(all[i]);
        if (id && *id == wanted[i]) ++good;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 400);
}

INSTANTIATE_TEST_SUITE_P(Plugins, CryptoKeys, testing::ValuesIn(kSubjects), name_of_case);
INSTANTIATE_TEST_SUITE_P(Plugins, CryptoKeyWrap, testing::ValuesIn(kSubjects), name_of_case);
INSTANTIATE_TEST_SUITE_P(Plugins, CryptoKeyDerive, testing::ValuesIn(kSubjects), name_of_case);
INSTANTIATE_TEST_SUITE_P(Plugins, CryptoKeyedId, testing::ValuesIn(kSubjects), name_of_case);

}  // namespace
}  // namespace cb::crypto_suite
