// SPDX-License-Identifier: Apache-2.0
#include "core/identity/signing.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace cb::identity {
namespace {

Bytes hex(std::string_view digits) { return from_hex(digits).value(); }

struct Rfc8032 {
  const char* seed;
  const char* public_key;
  const char* message;
  const char* signature;
};

// RFC 8032, section 7.1, tests 1 to 3.
constexpr Rfc8032 kKnown[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "4"
     "6bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d"
     "8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6"
     "594a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(Signing, gives_the_signatures_of_rfc_8032) {
  for (const Rfc8032& known : kKnown) {
    const auto key = SigningKey::from_seed(hex(known.seed));
    ASSERT_TRUE(key) << key.error().text();
    EXPECT_EQ(to_hex(key->public_key()), known.public_key);
    const auto signature = key->sign(hex(known.message));
    ASSERT_TRUE(signature) << signature.error().text();
    EXPECT_EQ(to_hex(*signature), known.signature);
    EXPECT_TRUE(verify(key->public_key(), hex(known.message), *signature));
  }
}

TEST(Signing, a_flipped_bit_anywhere_is_noticed) {
  const auto key = SigningKey::make(os::system_random()).value();
  const Bytes message = to_bytes(as_bytes("what was said"));
  const SignatureBytes good = key.sign(message).value();
  const auto code_of = [](const Status& status) { return status ? Code{} : status.error().code; };
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    SignatureBytes bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    ASSERT_EQ(code_of(verify(key.public_key(), message, bad)), Code::auth) << bit;
  }
  for (size_t bit = 0; bit < message.size() * 8; ++bit) {
    Bytes bad = message;
    bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    ASSERT_EQ(code_of(verify(key.public_key(), bad, good)), Code::auth) << bit;
  }
  const auto other = SigningKey::make(os::system_random()).value();
  EXPECT_EQ(code_of(verify(other.public_key(), message, good)), Code::auth);
  EXPECT_TRUE(verify(key.public_key(), message, good));
}

TEST(Signing, a_key_comes_back_from_its_seed_and_from_nothing_else) {
  const auto key = SigningKey::make(os::system_random()).value();
  EXPECT_EQ(SigningKey::from_seed(key.seed().view())->public_key(), key.public_key());
  EXPECT_NE(SigningKey::make(os::system_random())->public_key(), key.public_key());
  for (const size_t size : {0u, 31u, 33u, 64u})
    EXPECT_EQ(SigningKey::from_seed(Bytes(size)).error().code, Code::corrupt) << size;
}

TEST(Signing, fails_with_its_randomness) {
  class Broken final : public os::Random {
    Status fill(ByteSpan) override { return failed(Code::io, "random", "is out of order"); }
  } broken;
  EXPECT_EQ(SigningKey::make(broken).error().code, Code::io);
}

TEST(Sha256, gives_the_hashes_of_fips_180_on_every_thread) {
  const auto check = [] {
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(to_hex(sha256({})),
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
      EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
      EXPECT_EQ(
          to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(check);
  for (std::thread& thread : threads) thread.join();
  PublicKey key{};
  EXPECT_EQ(to_hex(device_id_of(key)), to_hex(sha256(key)).substr(0, 32));
}

// Computed with the reference implementation of RFC 9106's authors.
TEST(Argon2id, gives_the_keys_of_the_reference_implementation) {
  const Bytes counting = hex("000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(to_hex(argon2id("password", counting, 1, 8192)->view()),
            "3a008963c65f7ffa7331a90babd1fd17ea9f03bd05356b857ceb43f7b7080adc");
  EXPECT_EQ(to_hex(argon2id("password", counting, 3, 64 << 20)->view()),
            "def6fd068289b9a0cf1114f8e978a2c4dab6faef377d895b9c2d59fc93fc5653");
  EXPECT_EQ(to_hex(argon2id("", as_bytes("0123456789abcdef"), 2, 256 << 10)->view()),
            "797654367476965b777098dbbea96e66a7a6451096b630946af88ffa33ff048c");
}

TEST(Argon2id, refuses_what_is_no_parameter) {
  const Bytes salt(16);
  EXPECT_EQ(argon2id("p", Bytes(15), 1, 8192).error().code, Code::invalid);
  EXPECT_EQ(argon2id("p", salt, 0, 8192).error().code, Code::invalid);
  EXPECT_EQ(argon2id("p", salt, 1, 8191).error().code, Code::invalid);
  EXPECT_EQ(argon2id("p", salt, uint64_t{1} << 40, 8192).error().code, Code::invalid);
  EXPECT_EQ(argon2id("p", salt, 1, ~uint64_t{0}).error().code, Code::invalid);
}

}  // namespace
}  // namespace cb::identity
