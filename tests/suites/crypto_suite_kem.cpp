// SPDX-License-Identifier: Apache-2.0
//
// What every crypto plugin that claims KEM must do.
#include <atomic>
#include <set>
#include <thread>

#include "tests/suites/crypto_suite.h"

namespace cb::crypto_suite {
namespace {

class CryptoKem : public testing::TestWithParam<Subject> {
 protected:
  void SetUp() override {
    if (!crypto_.has(CB_CRYPTO_KEM)) GTEST_SKIP() << "the plugin does not claim KEM";
  }

  // A suite that cannot bind a context takes an empty one only.
  bool binds_context() {
    if (!binds_) binds_ = must(crypto_->pair_new()).encapsulate(as_bytes("context")).has_value();
    return *binds_;
  }
  ByteView context() { return binds_context() ? as_bytes("context") : ByteView(); }

  // Decapsulation of something wrong: refused as AUTH (or CORRUPT), or another key comes out.
  void expect_not(const plugin::Key& right, const Result<plugin::Key>& got) {
    if (got)
      EXPECT_FALSE(same_key(crypto_, right, *got));
    else
      EXPECT_TRUE(got.error().code == Code::auth || got.error().code == Code::corrupt)
          << got.error().text();
  }

  LoadedCrypto crypto_{GetParam()};
  std::optional<bool> binds_;
};

TEST_P(CryptoKem, both_sides_agree_on_the_key) {
  const plugin::KeyPair pair = must(crypto_->pair_new());
  for (int round = 0; round < 20; ++round) {
    const auto sent = must(pair.encapsulate(context()));
    EXPECT_TRUE(same_key(crypto_, sent.key, must(pair.decapsulate(context(), sent.cipher))));
  }
}

TEST_P(CryptoKem, every_encapsulation_makes_another_key) {
  const plugin::KeyPair pair = must(crypto_->pair_new());
  const auto first = must(pair.encapsulate({}));
  std::set<Bytes> ciphers = {first.cipher};
  for (int round = 0; round < 50; ++round) {
    const auto next = must(pair.encapsulate({}));
    EXPECT_TRUE(ciphers.insert(next.cipher).second);
    EXPECT_FALSE(same_key(crypto_, first.key, next.key));
  }
}

TEST_P(CryptoKem, the_wrong_pair_does_not_get_the_key) {
  const plugin::KeyPair pair = must(crypto_->pair_new());
  const plugin::KeyPair other = must(crypto_->pair_new());
  const auto sent = must(pair.encapsulate(context()));
  expect_not(sent.key, other.decapsulate(context(), sent.cipher));
}

TEST_P(CryptoKem, a_flipped_bit_in_any_byte_does_not_give_the_key) {
  const plugin::KeyPair pair = must(crypto_->pair_new());
  const auto sent = must(pair.encapsulate(context()));
  for (size_t at = 0; at < sent.cipher.size(); ++at) {
    SCOPED_TRACE(at);
    for (const size_t bit : {size_t{0}, size_t{7}})
      expect_not(sent.key, pair.decapsulate(context(), flipped(sent.cipher, 8 * at + bit)));
  }
}

TEST_P(CryptoKem, a_cipher_of_another_size_does_not_give_the_key) {
  const plugin::KeyPair pair = must(crypto_->pair_new());
  const auto sent = must(pair.encapsulate(context()));
  for (size_t size = 0; size < sent.cipher.size() + 3; ++size) {
    if (size == sent.cipher.size()) continue;
    SCOPED_TRACE(size);
    Bytes cut = sent.cipher;
    cut.resize(size);
    expect_not(sent.key, pair.decapsulate(context(), cut));
  }
}

TEST_P(CryptoKem, the_context_is_bound_or_must_be_empty) {
  const plugin::KeyPair pair = must(crypto_->pair_new());
  if (!binds_context()) {
    EXPECT_EQ(code_of(pair.encapsulate(as_bytes("context"))), Code::invalid);
    const auto sent = must(pair.encapsulate({}));
    EXPECT_EQ(code_of(pair.decapsulate(as_bytes("context"), sent.cipher)), Code::invalid);
    return;
  }
  const auto sent = must(pair.encapsulate(as_bytes("context")));
  for (const std::string_view wrong : {"", "contexT", "context ", "contex"})
    expect_not(sent.key, pair.decapsulate(as_bytes(wrong), sent.cipher));
}

TEST_P(CryptoKem, a_pair_comes_back_from_both_of_its_forms) {
  for (int round = 0; round < 5; ++round) {
    const plugin::KeyPair pair = must(crypto_->pair_new());
    const Bytes half = must(pair.public_half());
    const plugin::KeyPair sender = must(crypto_->import_public(half));
    const plugin::KeyPair receiver =
        must(crypto_->import_private(must(pair.private_form()).view()));
    EXPECT_EQ(must(sender.public_half()), half);
    EXPECT_EQ(must(receiver.public_half()), half);
    EXPECT_TRUE(equal_in_constant_time(must(receiver.private_form()).view(),
                                       must(pair.private_form()).view()));
    const auto sent = must(sender.encapsulate(context()));
    EXPECT_TRUE(same_key(crypto_, sent.key, must(receiver.decapsulate(context(), sent.cipher))));
  }
}

TEST_P(CryptoKem, a_public_half_alone_tells_no_secret) {
  const plugin::KeyPair pair = must(crypto_->pair_new());
  const plugin::KeyPair half = must(crypto_->import_public(must(pair.public_half())));
  const auto sent = must(half.encapsulate({}));
  EXPECT_EQ(code_of(half.private_form()), Code::state);
  EXPECT_EQ(code_of(half.decapsulate({}, sent.cipher)), Code::state);
}

TEST_P(CryptoKem, sizes_are_those_of_props) {
  const plugin::KeyPair pair = must(crypto_->pair_new());
  EXPECT_LE(must(pair.public_half()).size(), crypto_.props().public_max);
  EXPECT_LE(must(pair.private_form()).size(), crypto_.props().private_max);
  EXPECT_LE(must(pair.encapsulate({})).cipher.size(), crypto_.props().kem_cipher_max);
}

TEST_P(CryptoKem, rubbish_is_refused_as_malformed_or_foreign) {
  const auto fine = [](const Result<plugin::KeyPair>& got) {
    return got || got.error().code == Code::corrupt || got.error().code == Code::unsupported;
  };
  const plugin::KeyPair pair = must(crypto_->pair_new());
  const Bytes half = must(pair.public_half());
  const Bytes form = to_bytes(must(pair.private_form()).view());
  for (size_t size = 0; size < 200; ++size) {
    EXPECT_TRUE(fine(crypto_->import_public(noise(size, size)))) << size;
    EXPECT_TRUE(fine(crypto_->import_private(noise(size, size)))) << size;
  }
  for (size_t size = 0; size < half.size(); ++size) {
    const auto cut = crypto_->import_public(ByteView(half).first(size));
    EXPECT_TRUE(!cut && fine(cut)) << size;
  }
  for (size_t size = 0; size < form.size(); size += 3) {
    const auto cut = crypto_->import_private(ByteView(form).first(size));
    EXPECT_TRUE(!cut && fine(cut)) << size;
  }
}

TEST_P(CryptoKem, a_failing_random_source_is_told_and_nothing_is_made) {
  const plugin::KeyPair pair = must(crypto_->pair_new());
  crypto_.random().fail_with(Code::io);
  const uint64_t before = crypto_.random().calls();
  const auto made = crypto_->pair_new();
  if (crypto_.random().calls() > before)
    EXPECT_EQ(code_of(made), Code::io);
  else
    EXPECT_TRUE(made) << "it did not ask the host, so it has no reason to fail";
  EXPECT_EQ(code_of(pair.encapsulate({})), Code::io);
  crypto_.random().fail_with(std::nullopt);
  EXPECT_TRUE(pair.encapsulate({}));
  EXPECT_TRUE(crypto_->pair_new());
}

TEST_P(CryptoKem, one_pair_serves_several_threads) {
  const plugin::KeyPair pair = must(crypto_->pair_new());
  const ByteView bound = context();
  std::vector<std::thread> threads;
  std::atomic<int> agreed = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int round = 0; round < 25; ++round) {
        const auto sent = pair.encapsulate(bound);
        const auto received = sent ? pair.decapsulate(bound, sent->cipher)
                                   : Result<plugin::Key>(failed(sent.error()));
        if (received && same_key(crypto_, sent->key, *received)) ++agreed;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(agreed, 100);
}

INSTANTIATE_TEST_SUITE_P(Plugins, CryptoKem, testing::ValuesIn(kSubjects), name_of_case);

}  // namespace
}  // namespace cb::crypto_suite
