// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v4/channel.h"

#include <gtest/gtest.h>

namespace cb::v4 {
namespace {

TEST(ChannelStatement, is_as_the_documentation_says) {
  repository::DeviceId device;
  device.bytes.fill(std::byte{3});
  const auto statement = channel_statement(Bytes(32, std::byte{1}), Bytes(32, std::byte{2}),
                                           as_bytes("hello"), {}, device);
  ASSERT_TRUE(statement);
  EXPECT_EQ(to_hex(*statement),
            to_hex(as_bytes("cyberbackup/login/4")) + to_hex(Bytes(32, std::byte{1})) +
                to_hex(Bytes(32, std::byte{2})) +
                // FIPS 180-4 of "hello" and of nothing
                "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" +
                to_hex(device.view()));
}

TEST(ChannelStatement, differs_with_everything_that_it_binds) {
  const Bytes a(32, std::byte{1});
  const Bytes b(32, std::byte{2});
  const repository::DeviceId none;
  repository::DeviceId other;
  other.bytes[0] = std::byte{1};
  const auto base = channel_statement(a, a, a, a, none).value();
  EXPECT_NE(channel_statement(b, a, a, a, none).value(), base);
  EXPECT_NE(channel_statement(a, b, a, a, none).value(), base);
  EXPECT_NE(channel_statement(a, a, b, a, none).value(), base);
  EXPECT_NE(channel_statement(a, a, a, b, none).value(), base);
  EXPECT_NE(channel_statement(a, a, a, a, other).value(), base);
}

TEST(MigrationProof, is_as_the_documentation_says_and_of_one_channel_and_challenge) {
  const Bytes statement(3, std::byte{1});
  const Bytes challenge(32, std::byte{2});
  Bytes whole = to_bytes(as_bytes("cyberbackup/migrate/1"));
  whole.insert(whole.end(), statement.begin(), statement.end());
  whole.insert(whole.end(), challenge.begin(), challenge.end());
  const identity::Hash proof = migration_proof(statement, challenge);
  EXPECT_EQ(proof, identity::sha256(whole));
  EXPECT_NE(migration_proof(Bytes(3, std::byte{3}), challenge), proof);
  EXPECT_NE(migration_proof(statement, Bytes(32, std::byte{3})), proof);
}

TEST(ChannelStatement, needs_a_binding_and_a_nonce) {
  const Bytes good(32);
  EXPECT_EQ(channel_statement({}, good, {}, {}, {}).error().code, Code::corrupt);
  EXPECT_EQ(channel_statement(good, Bytes(31), {}, {}, {}).error().code, Code::corrupt);
}

}  // namespace
}  // namespace cb::v4
