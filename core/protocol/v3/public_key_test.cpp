// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v3/public_key.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace cb::v3 {
namespace {

Bytes element(uint8_t tag, const Bytes& content) {
  Bytes out{std::byte{tag}};
  if (content.size() >= 0x80) {
    out.push_back(std::byte{0x82});
    out.push_back(static_cast<std::byte>(content.size() >> 8));
  }
  out.push_back(static_cast<std::byte>(content.size() & 0xff));
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

Bytes joined(const Bytes& a, const Bytes& b) {
  Bytes all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

// SubjectPublicKeyInfo with a modulus of these bytes.
Bytes key_with(const Bytes& modulus, uint8_t last_of_name = 1) {
  const Bytes name = *from_hex("2a864886f70d0101");
  const Bytes algorithm =
      element(0x30, joined(element(6, joined(name, {std::byte{last_of_name}})), element(5, {})));
  const Bytes pair = element(0x30, joined(element(2, modulus), element(2, {std::byte{17}})));
  return element(0x30, joined(algorithm, element(3, joined({std::byte{0}}, pair))));
}

Bytes modulus_of(size_t bytes, uint8_t first) {
  Bytes modulus(bytes, std::byte{0x5a});
  modulus[0] = std::byte{first};
  return modulus;
}

TEST(RsaBits, are_those_of_the_modulus_without_its_leading_zero) {
  EXPECT_EQ(rsa_bits(key_with(joined({std::byte{0}}, modulus_of(128, 0x80)))), 1024u);
  EXPECT_EQ(rsa_bits(key_with(joined({std::byte{0}}, modulus_of(256, 0xff)))), 2048u);
  EXPECT_EQ(rsa_bits(key_with(modulus_of(64, 0x01))), 505u);
}

TEST(RsaBits, of_what_is_no_rsa_key_are_not_told) {
  EXPECT_FALSE(rsa_bits({}));
  EXPECT_FALSE(rsa_bits(Bytes(162, std::byte{0x30})));
  EXPECT_FALSE(rsa_bits(key_with(modulus_of(128, 0x80), 10)));  // another algorithm
  EXPECT_FALSE(rsa_bits(key_with(Bytes(3))));                   // zero
  EXPECT_FALSE(rsa_bits(key_with({})));
}

TEST(RsaBits, of_a_key_that_was_cut_are_told_at_no_place_past_its_end) {
  const Bytes whole = key_with(joined({std::byte{0}}, modulus_of(128, 0x80)));
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(rsa_bits(ByteView(whole).first(size))) << size;
}

RC_GTEST_PROP(RsaBits, any_bytes_are_read_without_harm, (const std::vector<uint8_t>& bytes)) {
  (void)rsa_bits(std::as_bytes(std::span(bytes)));
}

}  // namespace
}  // namespace cb::v3
