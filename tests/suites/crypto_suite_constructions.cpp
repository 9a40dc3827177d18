// SPDX-License-Identifier: Apache-2.0
//
// What the shipped crypto plugins must do beyond the common suite: crypto-modern gives the bytes of
// its second implementation, crypto-legacy those of protocol v3.
#include "tests/suites/crypto_suite.h"
#include "tests/suites/crypto_suite_vectors.h"

namespace cb::crypto_suite {
namespace {

using cb::testing::load_vector;
using cb::testing::load_vectors;
using cb::testing::Vector;

constexpr const char* kFile = "crypto-modern.txt";

std::string id_under(const plugin::Key& key, const Vector& v) {
  return to_hex(must(key.id_of(v.at("data"))).bytes);
}

// The plaintext that the reference sealed.
Bytes plain_of(const Vector& v) {
  size_t size = 0;
  for (const std::byte byte : v.at("plain_size")) size = size << 8 | std::to_integer<size_t>(byte);
  Bytes plain(size);
  for (size_t i = 0; i < size; ++i) plain[i] = static_cast<std::byte>((i * 7 + i / 256) % 251);
  return plain;
}

TEST(CryptoModern, names_data_as_recorded) {
  LoadedCrypto crypto({"", "crypto-modern", {}});
  const Vector v = load_vector(kFile, "keyed-id");
  EXPECT_EQ(id_under(must(crypto->import_key(v.at("key"))), v), to_hex(v.at("id")));
}

TEST(CryptoModern, derives_as_recorded) {
  LoadedCrypto crypto({"", "crypto-modern", {}});
  const Vector v = load_vector(kFile, "derive");
  const plugin::Key key = must(crypto->import_key(v.at("key")));
  const plugin::Key derived = must(key.derive(as_text(v.at("label")), v.at("context")));
  EXPECT_EQ(id_under(derived, v), to_hex(v.at("id")));
}

TEST(CryptoModern, wraps_as_recorded) {
  LoadedCrypto crypto({"", "crypto-modern", {}});
  const Vector v = load_vector(kFile, "wrap");
  const plugin::Key key = must(crypto->import_key(v.at("key")));
  const plugin::Key inner = must(crypto->import_key(v.at("inner")));
  EXPECT_EQ(to_hex(must(key.wrap(inner))), to_hex(v.at("wrapped")));
  EXPECT_EQ(id_under(must(key.unwrap(v.at("wrapped"))), v), to_hex(v.at("id")));
}

TEST(CryptoModern, encapsulates_as_recorded) {
  LoadedCrypto crypto({"", "crypto-modern", {}});
  for (const std::string name : {"kem", "kem-empty-context"}) {
    SCOPED_TRACE(name);
    const Vector v = load_vector(kFile, name);
    crypto.random().script(v.at("random"));
    const auto sent =
        must(must(crypto->import_public(v.at("recipient_public"))).encapsulate(v.at("context")));
    EXPECT_EQ(to_hex(sent.cipher), to_hex(v.at("cipher")));
    EXPECT_EQ(id_under(sent.key, v), to_hex(v.at("id")));
    const plugin::KeyPair pair = must(crypto->import_private(v.at("recipient_private")));
    EXPECT_EQ(must(pair.public_half()), v.at("recipient_public"));
    EXPECT_EQ(id_under(must(pair.decapsulate(v.at("context"), v.at("cipher"))), v),
              to_hex(v.at("id")));
  }
}

// The chunks together are compared by their id under a fixed key, and the last by its end.
TEST(CryptoModern, seals_as_recorded) {
  int seen = 0;
  for (const Vector& v : load_vectors(kFile)) {
    if (!v.has("sealed_id")) continue;
    SCOPED_TRACE(v.name);
    ++seen;
    const bool gcm = v.name.find("gcm") != std::string::npos;
    LoadedCrypto crypto(
        {"", "crypto-modern", {{"cipher", gcm ? "aes-256-gcm" : "chacha20-poly1305"}}});
    const plugin::Key key = must(crypto->import_key(v.at("key")));
    crypto.random().script(v.at("random"));
    const Sealed object = seal_all(key, crypto.props(), v.at("aad"), plain_of(v));
    EXPECT_EQ(to_hex(object.header), to_hex(v.at("header")));
    Bytes all;
    for (const Bytes& chunk : object.chunks) all.insert(all.end(), chunk.begin(), chunk.end());
    EXPECT_EQ(to_hex(must(key.id_of(all)).bytes), to_hex(v.at("sealed_id")));
    const Bytes& end = v.at("last");
    ASSERT_GE(object.chunks.back().size(), end.size());
    EXPECT_EQ(to_hex(ByteView(object.chunks.back()).last(end.size())), to_hex(end));
  }
  EXPECT_EQ(seen, 8);
}

TEST(CryptoModern, names_the_suite_in_the_header) {
  for (const auto& [cipher, number] : {std::pair("aes-256-gcm", 1), {"chacha20-poly1305", 2}}) {
    LoadedCrypto crypto({"", "crypto-modern", {{"cipher", cipher}}});
    const plugin::Key key = crypto.new_key();
    Bytes header = to_bytes(must(key.seal({})).header());
    EXPECT_EQ(std::to_integer<int>(header[0]), number);
    for (const int other : {0, 3, 17, 255}) {
      header[0] = static_cast<std::byte>(other);
      EXPECT_EQ(code_of(key.open({}, header)), Code::unsupported) << other;
    }
  }
}

TEST(CryptoModern, takes_public_halves_in_canonical_form_only) {
  LoadedCrypto crypto({"", "crypto-modern", {}});
  Bytes half = must(must(crypto->pair_new()).public_half());
  half.back() |= std::byte{0x80};
  EXPECT_EQ(code_of(crypto->import_public(half)), Code::corrupt);
}

TEST(CryptoModern, makes_no_key_with_a_point_of_low_order) {
  LoadedCrypto crypto({"", "crypto-modern", {}});
  const plugin::KeyPair low = must(crypto->import_public(Bytes(32)));
  EXPECT_EQ(code_of(low.encapsulate({})), Code::corrupt);
  EXPECT_EQ(code_of(must(crypto->pair_new()).decapsulate({}, Bytes(32))), Code::auth);
}

TEST(CryptoLegacy, makes_its_keys_of_the_hosts_randomness) {
  for (const size_t size : {16U, 32U}) {
    LoadedCrypto crypto({"", "crypto-legacy", {{"key_bytes", std::to_string(size)}}});
    EXPECT_EQ(crypto.props().key_size, size);
    const Bytes raw = noise(size);
    const plugin::KeyPair pair = must(crypto->pair_new());
    crypto.random().script(raw);
    const auto sent = must(pair.encapsulate({}));
    EXPECT_EQ(sent.cipher.size(), 128U);
    EXPECT_TRUE(same_key(crypto, sent.key, must(crypto->import_key(raw))));
    EXPECT_TRUE(same_key(crypto, must(pair.decapsulate({}, sent.cipher)), sent.key));
  }
}

TEST(CryptoLegacy, takes_a_key_of_either_size_whatever_it_makes_itself) {
  LoadedCrypto small({"", "crypto-legacy", {{"key_bytes", "16"}}});
  LoadedCrypto large({"", "crypto-legacy", {{"key_bytes", "32"}}});
  const plugin::KeyPair pair = must(large->pair_new());
  const plugin::KeyPair sender = must(small->import_public(must(pair.public_half())));
  const Bytes raw = noise(16);
  small.random().script(raw);
  const plugin::Key key = must(pair.decapsulate({}, must(sender.encapsulate({})).cipher));
  EXPECT_TRUE(same_key(large, key, must(large->import_key(raw))));
  for (const size_t size : {16U, 24U, 32U}) EXPECT_TRUE(large->import_key(noise(size)));
}

TEST(CryptoLegacy, tells_the_other_hash_apart) {
  LoadedCrypto one({"", "crypto-legacy", {{"oaep_hash", "sha1"}}});
  const plugin::Crypto other = one.make({{"oaep_hash", "sha256"}});
  const plugin::KeyPair pair = must(one->pair_new());
  const plugin::KeyPair same = must(other.import_private(must(pair.private_form()).view()));
  EXPECT_EQ(code_of(same.decapsulate({}, must(pair.encapsulate({})).cipher)), Code::auth);
  EXPECT_EQ(code_of(pair.decapsulate({}, must(same.encapsulate({})).cipher)), Code::auth);
}

TEST(CryptoLegacy, opens_in_order_only_and_binds_nothing) {
  LoadedCrypto crypto({"", "crypto-legacy", {}});
  const plugin::Key key = crypto.new_key();
  EXPECT_EQ(code_of(key.seal(as_bytes("aad"))), Code::invalid);
  EXPECT_EQ(code_of(key.open(as_bytes("aad"), {})), Code::invalid);
  const Sealed object = seal_all(key, crypto.props(), {}, noise(200'000));
  plugin::Open open = must(key.open({}, {}));
  Bytes out(object.chunks[0].size());
  EXPECT_EQ(code_of(open.chunk(1, false, object.chunks[1], out)), Code::state);
  EXPECT_TRUE(open.chunk(0, false, object.chunks[0], out));
}

TEST(CryptoLegacy, calls_a_wrong_key_corrupt_as_far_as_it_can_tell) {
  LoadedCrypto crypto({"", "crypto-legacy", {}});
  const Bytes plain = noise(1000);
  const Sealed object = seal_all(crypto.new_key(), crypto.props(), {}, plain);
  int noticed = 0;
  for (int round = 0; round < 300; ++round) {
    const auto opened = open_all(crypto.new_key(), {}, object);
    if (opened) {
      EXPECT_NE(*opened, plain);
    } else {
      EXPECT_EQ(opened.error().code, Code::corrupt);
      ++noticed;
    }
  }
  EXPECT_GT(noticed, 250) << "about one wrong key in 255 leaves right padding";
}

}  // namespace
}  // namespace cb::crypto_suite
