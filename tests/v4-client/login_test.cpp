// SPDX-License-Identifier: Apache-2.0
//
// Who is let in, and whom the client lets be its server.
#include <gtest/gtest.h>

#include "tests/v4-client/scripted_peer.h"

namespace cb::client {
namespace {

using testing::ScriptedPeer;
using testing::V4Peer;

class LoginTest : public ::testing::Test {
 protected:
  Result<std::shared_ptr<V4Session>> open(const ScriptedPeer& peer) {
    return V4Session::open(peer.stack(), peer.target(), account_.identity());
  }
  // The error of a login at a server that does `script`.
  Code refused(ScriptedPeer::Script script) {
    const ScriptedPeer peer(account_, std::move(script));
    const auto session = open(peer);
    return session ? Code::internal : session.error().code;
  }

  testing::Account account_;
};

TEST_F(LoginTest, both_learn_who_the_other_is) {
  ScriptedPeer peer(account_, [](V4Peer& one) {
    one.reply.set_time_ns((os::system_clock().wall() + std::chrono::hours(1)).count());
    one.login.mutable_head()->set_sequence(12);
    one.login.mutable_head()->set_hash(std::string(32, 'h'));
    one.greet();
    one.wait_for_end();
  });
  const auto session = open(peer);
  ASSERT_TRUE(session) << session.error().text();
  const V4Welcome& welcome = (*session)->welcome();
  EXPECT_EQ(welcome.version, 4u);
  EXPECT_EQ(welcome.account, "alice");
  EXPECT_EQ(welcome.record, account_.record);
  EXPECT_EQ(welcome.server_key, account_.server.public_key());
  EXPECT_EQ(welcome.head_sequence, 12u);
  EXPECT_NEAR(std::chrono::duration<double>(welcome.clock_ahead).count(), 3600, 30);
}

TEST_F(LoginTest, a_server_with_another_key_is_refused_before_anything_is_said) {
  ScriptedPeer peer(account_, [](V4Peer& one) { one.greet(); });
  const auto session =
      V4Session::open(peer.stack(std::string(64, 'a')), peer.target(), account_.identity());
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::auth);
  peer.join();
  EXPECT_EQ(peer.connections(), 0u);
  EXPECT_EQ(peer.failed_handshakes(), 1u);
}

TEST_F(LoginTest, v4_is_not_spoken_without_encryption) {
  const auto bare = stream::Stack::make({test::make("transport-tcp")});
  ASSERT_TRUE(bare);
  const auto session = V4Session::open(*bare, {"127.0.0.1", 1, ""}, account_.identity());
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::unsupported);
}

TEST_F(LoginTest, a_device_that_is_not_let_in_hears_why) {
  const ScriptedPeer peer(account_, [](V4Peer& one) {
    const auto hello = one.expect(v4::Request::hello);
    one.send(v4::Response::hello, hello.id, one.reply);
    const auto login = one.expect(v4::Request::login);
    one.send(v4::Response::failure, login.id,
             v4::failure_of(fail(Code::denied, "device", "was revoked"), true));
  });
  const auto session = open(peer);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::denied);
  EXPECT_EQ(session.error().cause, "was revoked");
}

TEST_F(LoginTest, another_version_is_not_talked_down_to) {
  EXPECT_EQ(refused([](V4Peer& one) {
              one.reply.set_version(5);
              one.greet();
            }),
            Code::unsupported);
}

TEST_F(LoginTest, a_peer_that_speaks_something_else_is_told_apart) {
  EXPECT_EQ(refused([](V4Peer& one) { one.raw(as_bytes("SSH-2.0-OpenSSH_9.2\r\n")); }),
            Code::corrupt);
  EXPECT_EQ(refused([](V4Peer&) {}), Code::closed);
}

TEST_F(LoginTest, a_server_that_answers_in_protocol_3_is_not_talked_down_to) {
  // A 1607, and a 1600 with an id, as servers of protocol 3 send them.
  for (const uint16_t code : {uint16_t{1607}, uint16_t{1600}}) {
    size_t more = 0;  // than the hello
    ScriptedPeer peer(account_, [&](V4Peer& one) {
      one.expect(v4::Request::hello);
      const auto header = protocol::encode(
          protocol::ResponseHeader{3, code, code == 1600 ? uint32_t{16} : uint32_t{0}});
      one.raw(header);
      if (code == 1600) one.raw(Bytes(16, std::byte{7}));
      try {
        for (;; ++more) one.read();
      } catch (const testing::PeerGone&) {
      }
    });
    const auto session = open(peer);
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Code::corrupt);
    EXPECT_NE(session.error().text().find("version 3"), std::string::npos)
        << session.error().text();
    peer.join();
    EXPECT_EQ(peer.connections(), 1U) << "it came back";
    EXPECT_EQ(more, 0U) << "it said something else";
  }
}

TEST_F(LoginTest, another_repository_behind_the_same_door_is_refused) {
  EXPECT_EQ(refused([this](V4Peer& one) {
              auto record = account_.record;
              record.id.bytes[0] ^= std::byte{1};
              one.login.set_repository(v4::field_of(repository::encode(record)));
              one.greet();
              one.wait_for_end();
            }),
            Code::auth);
}

TEST_F(LoginTest, a_record_that_the_owner_did_not_sign_is_refused) {
  EXPECT_EQ(refused([this](V4Peer& one) {
              auto record = account_.record;
              record.epochs.push_back({2, Bytes(32, std::byte{66})});  // a key of the server's
              one.login.set_repository(v4::field_of(repository::encode(record)));
              one.greet();
              one.wait_for_end();
            }),
            Code::auth);
}

TEST_F(LoginTest, a_feature_that_this_program_does_not_know_is_named) {
  auto record = account_.record;
  record.features = {"time-travel"};
  record.signature = account_.root.sign(repository::signed_part(record)).value();
  const ScriptedPeer peer(account_, [&](V4Peer& one) {
    one.login.set_repository(v4::field_of(repository::encode(record)));
    one.greet();
    one.wait_for_end();
  });
  const auto session = open(peer);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::unsupported);
  EXPECT_NE(session.error().cause.find("time-travel"), std::string::npos);
}

}  // namespace
}  // namespace cb::client
