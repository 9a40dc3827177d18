// SPDX-License-Identifier: Apache-2.0
//
// The primitives inside the crypto plugins against published vectors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <algorithm>
#include <functional>

#include "core/base/secret.h"
#include "cyberbackup/cpp/failure.hpp"
#include "plugins/crypto-legacy/key.h"
#include "plugins/crypto-legacy/rsa.h"
#include "plugins/crypto-modern/aead.h"
#include "plugins/crypto-modern/kem.h"
#include "tests/suites/crypto_suite_vectors.h"

namespace {

using cb::Bytes;
using cb::ByteView;
using cb::to_hex;
using cb::testing::load_vectors;
using cb::testing::Vector;
using cyberbackup::sdk::Failure;
namespace legacy = crypto_legacy;
namespace modern = crypto_modern;

template <size_t N>
std::span<const std::byte, N> exactly(const Bytes& bytes) {
  if (bytes.size() != N) throw std::runtime_error("a vector of the wrong size");
  return std::span<const std::byte, N>(bytes);
}

modern::X25519Public point_of(const Bytes& bytes) {
  modern::X25519Public point;
  std::ranges::copy(exactly<32>(bytes), point.begin());
  return point;
}

cb_status status_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Failure& failure) {
    return failure.status();
  }
  return CB_OK;
}

TEST(KnownAnswers, x25519_agrees_with_rfc_7748) {
  for (const Vector& v : load_vectors("x25519.txt")) {
    const modern::X25519Private scalar(exactly<32>(v.at("scalar")));
    modern::SharedSecret result;
    ASSERT_TRUE(modern::x25519(scalar, point_of(v.at("point")), result)) << v.name;
    EXPECT_EQ(to_hex(result.view()), to_hex(v.at("result"))) << v.name;
    if (v.has("public")) {
      EXPECT_EQ(to_hex(modern::x25519_public(scalar)), to_hex(v.at("public"))) << v.name;
    }
  }
}

TEST(KnownAnswers, x25519_refuses_points_of_low_order) {
  const modern::X25519Private scalar(exactly<32>(Bytes(32, std::byte{0x55})));
  modern::X25519Public zero{};
  modern::X25519Public one{};
  one[0] = std::byte{1};
  modern::SharedSecret result;
  EXPECT_FALSE(modern::x25519(scalar, zero, result));
  EXPECT_FALSE(modern::x25519(scalar, one, result));
}

TEST(KnownAnswers, dhkem_agrees_with_rfc_9180) {
  const modern::Algorithms algorithms;
  for (const Vector& v : load_vectors("dhkem.txt")) {
    const modern::X25519Private ephemeral(exactly<32>(v.at("ephemeral_private")));
    const modern::X25519Private recipient(exactly<32>(v.at("recipient_private")));
    EXPECT_EQ(to_hex(modern::x25519_public(ephemeral)), to_hex(v.at("enc"))) << v.name;
    EXPECT_EQ(to_hex(modern::x25519_public(recipient)), to_hex(v.at("recipient_public")));
    modern::SharedSecret sent;
    modern::SharedSecret received;
    ASSERT_TRUE(
        modern::dhkem_encapsulate(algorithms, ephemeral, point_of(v.at("recipient_public")), sent));
    ASSERT_TRUE(modern::dhkem_decapsulate(algorithms, recipient, point_of(v.at("enc")), received));
    EXPECT_EQ(to_hex(sent.view()), to_hex(v.at("shared_secret"))) << v.name;
    EXPECT_EQ(to_hex(received.view()), to_hex(v.at("shared_secret"))) << v.name;
  }
}

TEST(KnownAnswers, hkdf_agrees_with_rfc_5869) {
  const modern::Algorithms algorithms;
  for (const Vector& v : load_vectors("hkdf.txt")) {
    Bytes result(v.at("result").size());
    modern::hkdf_expand(modern::hkdf_extract(algorithms, v.at("salt"), {v.at("key")}),
                        {v.at("info")}, result);
    EXPECT_EQ(to_hex(result), to_hex(v.at("result"))) << v.name;
  }
}

TEST(KnownAnswers, hkdf_joins_its_parts) {
  const modern::Algorithms algorithms;
  const Vector v = load_vectors("hkdf.txt").front();
  const ByteView key = v.at("key");
  const ByteView info = v.at("info");
  Bytes result(v.at("result").size());
  modern::hkdf_expand(
      modern::hkdf_extract(algorithms, v.at("salt"), {key.first(5), key.subspan(5)}),
      {info.first(3), {}, info.subspan(3)}, result);
  EXPECT_EQ(to_hex(result), to_hex(v.at("result")));
}

TEST(KnownAnswers, hmac_agrees_with_rfc_4231) {
  const modern::Algorithms algorithms;
  for (const Vector& v : load_vectors("hmac.txt")) {
    const modern::Hmac hmac(algorithms, v.at("key"));
    for (int round = 0; round < 2; ++round) {
      modern::Hash result{};
      hmac.mac({v.at("data")}, result);
      EXPECT_EQ(to_hex(result), to_hex(v.at("result"))) << v.name << " round " << round;
    }
  }
}

void check_aead(const std::string& file, modern::Suite suite) {
  using Direction = modern::AeadKey::Direction;
  const modern::Algorithms algorithms;
  for (const Vector& v : load_vectors(file)) {
    SCOPED_TRACE(v.name);
    const auto nonce = exactly<12>(v.at("nonce"));
    Bytes wanted = v.at("cipher");
    wanted.insert(wanted.end(), v.at("tag").begin(), v.at("tag").end());

    modern::AeadKey sealing(algorithms, suite, exactly<32>(v.at("key")), Direction::seal);
    modern::AeadKey opening(algorithms, suite, exactly<32>(v.at("key")), Direction::open);
    for (int round = 0; round < 2; ++round) {  // the key is used again, as for further chunks
      Bytes sealed(wanted.size());
      sealing.seal(nonce, v.at("aad"), v.at("plain"), sealed);
      EXPECT_EQ(to_hex(sealed), to_hex(wanted));
      Bytes plain(v.at("plain").size(), std::byte{0xcc});
      ASSERT_TRUE(opening.open(nonce, v.at("aad"), sealed, plain));
      EXPECT_EQ(to_hex(plain), to_hex(v.at("plain")));
      sealed.back() ^= std::byte{1};
      EXPECT_FALSE(opening.open(nonce, v.at("aad"), sealed, plain));
      EXPECT_EQ(plain, Bytes(plain.size())) << "plaintext of a chunk that does not verify";
    }
  }
}

TEST(KnownAnswers, aes_256_gcm_agrees_with_its_specification) {
  check_aead("aes-256-gcm.txt", modern::Suite::aes_256_gcm);
}

TEST(KnownAnswers, chacha20_poly1305_agrees_with_rfc_8439) {
  check_aead("chacha20-poly1305.txt", modern::Suite::chacha20_poly1305);
}

TEST(KnownAnswers, aes_256_siv_agrees_with_wycheproof) {
  const modern::Algorithms algorithms;
  for (const Vector& v : load_vectors("aes-256-siv.txt")) {
    SCOPED_TRACE(v.name);
    const auto key = exactly<64>(v.at("key"));
    Bytes sealed = modern::siv_seal(algorithms, key, v.at("aad"), v.at("plain"));
    EXPECT_EQ(to_hex(sealed), to_hex(v.at("sealed")));
    Bytes plain(v.at("plain").size(), std::byte{0xcc});
    ASSERT_TRUE(modern::siv_open(algorithms, key, v.at("aad"), sealed, plain));
    EXPECT_EQ(to_hex(plain), to_hex(v.at("plain")));
    for (size_t at = 0; at < sealed.size(); ++at) {
      sealed[at] ^= std::byte{0x10};
      EXPECT_FALSE(modern::siv_open(algorithms, key, v.at("aad"), sealed, plain)) << at;
      EXPECT_EQ(plain, Bytes(plain.size()));
      sealed[at] ^= std::byte{0x10};
    }
  }
}

// The suite always starts from an IV of zeros: the vector's IV goes into its first block instead,
// which gives the same ciphertext.
TEST(KnownAnswers, aes_cbc_agrees_with_sp_800_38a) {
  const legacy::Ciphers ciphers;
  for (const Vector& v : load_vectors("aes-cbc.txt")) {
    SCOPED_TRACE(v.name);
    Bytes plain = v.at("plain");
    for (size_t i = 0; i < legacy::kBlock; ++i) plain[i] ^= v.at("iv")[i];
    const legacy::Key key(ciphers, v.at("key"));
    Bytes header;
    Bytes sealed(plain.size() + legacy::kBlock);
    ASSERT_EQ(key.seal_begin({}, header)->chunk(plain, true, sealed), sealed.size());
    EXPECT_EQ(to_hex(ByteView(sealed).first(plain.size())), to_hex(v.at("cipher")));
    Bytes opened(sealed.size());
    ASSERT_EQ(key.open_begin({}, {})->chunk(0, true, sealed, opened), plain.size());
    EXPECT_EQ(to_hex(ByteView(opened).first(plain.size())), to_hex(plain));
  }
}

TEST(LegacyCbc, pads_as_pkcs7_whatever_the_size) {
  const legacy::Ciphers ciphers;
  const legacy::Key key(ciphers, Bytes(32, std::byte{7}));
  for (size_t size = 0; size <= 33; ++size) {
    const Bytes plain(size, std::byte{0x61});
    Bytes header;
    Bytes sealed(size + legacy::kBlock);
    EXPECT_EQ(key.seal_begin({}, header)->chunk(plain, true, sealed), 16 * (size / 16 + 1));
  }
}

TEST(LegacyCbc, opens_in_order_and_once) {
  const legacy::Ciphers ciphers;
  const legacy::Key key(ciphers, Bytes(32, std::byte{7}));
  Bytes header;
  Bytes sealed(legacy::kChunkPlain + legacy::kBlock);
  const auto seal = key.seal_begin({}, header);
  ASSERT_EQ(seal->chunk(Bytes(legacy::kChunkPlain), false, sealed), legacy::kChunkPlain);
  Bytes out(sealed.size());
  const auto open = key.open_begin({}, {});
  const ByteView chunk = ByteView(sealed).first(legacy::kChunkPlain);
  EXPECT_EQ(status_of([&] { open->chunk(1, false, chunk, out); }), CB_E_STATE);
  EXPECT_EQ(open->chunk(0, false, chunk, out), legacy::kChunkPlain);
  EXPECT_EQ(status_of([&] { open->chunk(0, false, chunk, out); }), CB_E_STATE);
  ASSERT_EQ(seal->chunk({}, true, sealed), legacy::kBlock);
  EXPECT_EQ(open->chunk(1, true, ByteView(sealed).first(legacy::kBlock), out), 0U)
      << "a bare padding block is a last chunk";
  EXPECT_EQ(status_of([&] { open->chunk(2, true, ByteView(sealed).first(16), out); }), CB_E_STATE);
}

TEST(LegacyCbc, tells_impossible_sizes_and_padding) {
  const legacy::Ciphers ciphers;
  const legacy::Key key(ciphers, Bytes(16, std::byte{7}));
  Bytes out(legacy::kChunkPlain + 2 * legacy::kBlock);
  for (const size_t size : {size_t{0}, size_t{1}, size_t{15}, size_t{17}, out.size()}) {
    const auto open = key.open_begin({}, {});
    EXPECT_EQ(status_of([&] { open->chunk(0, true, Bytes(size), out); }), CB_E_CORRUPT) << size;
  }
  for (const size_t size : {size_t{0}, size_t{16}, legacy::kChunkPlain + 16}) {
    const auto open = key.open_begin({}, {});
    EXPECT_EQ(status_of([&] { open->chunk(0, false, Bytes(size), out); }), CB_E_CORRUPT) << size;
  }
  // Whole blocks, sealed as if they were not the last, end in every impossible padding.
  for (const int last : {0, 17, 255, 2}) {
    Bytes plain(32, std::byte{1});
    plain.back() = static_cast<std::byte>(last);
    Bytes header;
    Bytes sealed(plain.size());
    key.seal_begin({}, header)->chunk(plain, false, sealed);
    const auto open = key.open_begin({}, {});
    std::ranges::fill(out, std::byte{0xcc});
    EXPECT_EQ(status_of([&] { open->chunk(0, true, sealed, out); }), CB_E_CORRUPT) << last;
    EXPECT_EQ(to_hex(ByteView(out).first(32)), to_hex(Bytes(32)));
  }
}

TEST(LegacyRsa, makes_keys_whose_public_form_has_160_bytes) {
  for (int round = 0; round < 8; ++round) {
    const legacy::RsaKey pair = legacy::RsaKey::generate();
    const Bytes half = pair.public_der();
    EXPECT_EQ(half.size(), 160U);
    EXPECT_EQ(to_hex(ByteView(half).first(29)),
              "30819d300d06092a864886f70d010101050003818b0030818702818100");
    EXPECT_EQ(to_hex(ByteView(half).last(3)), "020111");
    const Bytes form = pair.private_der();
    EXPECT_GE(form.size(), 600U);
    EXPECT_LE(form.size(), legacy::kPrivateMax);
    EXPECT_EQ(legacy::RsaKey::from_private(form).public_der(), half);
  }
}

TEST(LegacyRsa, ignores_what_follows_the_der) {
  const Bytes half = legacy::RsaKey::generate().public_der();
  for (const size_t extra : {1U, 2U, 95U}) {
    Bytes field = half;
    field.resize(half.size() + extra, std::byte{0xe5});
    EXPECT_EQ(legacy::RsaKey::from_public(field).public_der(), half) << extra;
  }
}

TEST(LegacyRsa, takes_keys_with_e_65537_of_162_bytes) {
  const Vector v = cb::testing::load_vector("rsa-keys.txt", "rsa-1024-e65537");
  EXPECT_EQ(v.at("public").size(), 162U);
  EXPECT_EQ(legacy::RsaKey::from_public(v.at("public")).public_der(), v.at("public"));
  EXPECT_EQ(legacy::RsaKey::from_private(v.at("private")).public_der(), v.at("public"));
}

TEST(LegacyRsa, says_which_foreign_keys_it_does_not_take) {
  for (const Vector& v : load_vectors("rsa-keys.txt")) {
    if (v.name == "rsa-1024-e65537") continue;
    SCOPED_TRACE(v.name);
    const cb_status wanted =
        v.at("status") == Bytes{std::byte{0}} ? CB_E_CORRUPT : CB_E_UNSUPPORTED;
    EXPECT_EQ(status_of([&] { legacy::RsaKey::from_public(v.at("public")); }), wanted);
    if (v.has("private")) {
      EXPECT_EQ(status_of([&] { legacy::RsaKey::from_private(v.at("private")); }), wanted);
    }
  }
}

TEST(LegacyRsa, calls_malformed_keys_corrupt_and_survives_every_flip) {
  const legacy::RsaKey pair = legacy::RsaKey::generate();
  const Bytes half = pair.public_der();
  const Bytes form = pair.private_der();
  for (size_t size = 0; size < half.size(); ++size)
    EXPECT_EQ(status_of([&] { legacy::RsaKey::from_public(ByteView(half).first(size)); }),
              CB_E_CORRUPT)
        << size;
  for (size_t bit = 0; bit < 8 * half.size(); ++bit) {
    Bytes damaged = half;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const cb_status status = status_of([&] { legacy::RsaKey::from_public(damaged); });
    EXPECT_TRUE(status == CB_OK || status == CB_E_CORRUPT || status == CB_E_UNSUPPORTED) << bit;
  }
  for (size_t at = 0; at < form.size(); at += 7) {
    Bytes damaged = form;
    damaged[at] ^= std::byte{4};
    const cb_status status = status_of([&] { legacy::RsaKey::from_private(damaged); });
    EXPECT_TRUE(status == CB_E_CORRUPT || status == CB_E_UNSUPPORTED) << at << ": " << status;
  }
}

TEST(LegacyRsa, the_public_half_alone_cannot_decrypt) {
  const legacy::RsaKey half = legacy::RsaKey::from_public(legacy::RsaKey::generate().public_der());
  const Bytes cipher = half.encrypt(legacy::OaepHash::sha256, Bytes(32));
  Bytes text(legacy::kRsaBytes);
  EXPECT_EQ(status_of([&] { half.decrypt(legacy::OaepHash::sha256, cipher, text); }), CB_E_STATE);
  EXPECT_EQ(status_of([&] { static_cast<void>(half.private_der()); }), CB_E_STATE);
}

// TLS in the same process takes what it finds in the thread's error queue for its own.
TEST(LegacyRsa, leaves_no_error_of_openssl_behind) {
  ERR_clear_error();
  const legacy::RsaKey pair = legacy::RsaKey::generate();
  const Bytes half = pair.public_der();
  const Bytes form = pair.private_der();
  Bytes cipher = pair.encrypt(legacy::OaepHash::sha1, Bytes(16));
  Bytes text(legacy::kRsaBytes);
  EXPECT_EQ(status_of([&] { pair.decrypt(legacy::OaepHash::sha256, cipher, text); }), CB_E_AUTH);
  EXPECT_EQ(ERR_peek_error(), 0U);
  for (const Vector& v : load_vectors("rsa-keys.txt")) {
    status_of([&] { legacy::RsaKey::from_public(v.at("public")); });
    if (v.has("private")) status_of([&] { legacy::RsaKey::from_private(v.at("private")); });
    EXPECT_EQ(ERR_peek_error(), 0U) << v.name;
  }
  for (size_t at = 0; at < half.size(); ++at) {
    Bytes damaged = half;
    damaged[at] ^= std::byte{1};
    status_of([&] { legacy::RsaKey::from_public(damaged); });
    ASSERT_EQ(ERR_peek_error(), 0U) << at;
  }
  for (size_t at = 0; at < form.size(); at += 5) {
    Bytes damaged = form;
    damaged[at] ^= std::byte{1};
    status_of([&] { legacy::RsaKey::from_private(damaged); });
    ASSERT_EQ(ERR_peek_error(), 0U) << at;
  }
}

TEST(KnownAnswers, refusals_leave_no_error_of_openssl_behind) {
  ERR_clear_error();
  const modern::Algorithms algorithms;
  modern::SharedSecret result;
  EXPECT_FALSE(modern::x25519(modern::X25519Private(), modern::X25519Public{}, result));
  EXPECT_EQ(ERR_peek_error(), 0U);
  Bytes plain(32);
  EXPECT_FALSE(
      modern::siv_open(algorithms, modern::SecretArray<64>().view(), Bytes(1), Bytes(48), plain));
  EXPECT_EQ(ERR_peek_error(), 0U);
  for (const auto suite : {modern::Suite::aes_256_gcm, modern::Suite::chacha20_poly1305}) {
    modern::AeadKey key(algorithms, suite, modern::SecretArray<32>().view(),
                        modern::AeadKey::Direction::open);
    EXPECT_FALSE(key.open(std::array<std::byte, 12>{}, {}, Bytes(48), plain));
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

}  // namespace
