// SPDX-License-Identifier: Apache-2.0
//
// What a server makes of a source that is too old, or answers what no source does.
#include <gmock/gmock.h>

#include "core/replication/v4_source.h"
#include "tests/v4-client/scripted_peer.h"

namespace cb::replication {
namespace {

using cb::testing::ScriptedPeer;
using cb::testing::V4Peer;
using v4::Request;
using v4::Response;

class SourceOfCopies : public ::testing::Test {
 protected:
  static Result<std::unique_ptr<SourceRemote>> open(const ScriptedPeer& peer) {
    SourceLogin login;
    login.servers = {peer.target()};
    login.secret = Secret(repository::kTokenSecretSize);
    login.program = "test";
    return open_source(peer.stack(), login);
  }
  // Says hello, and returns the login.
  static cb::testing::PeerRequest begin(V4Peer& peer) {
    const auto hello = peer.expect(Request::hello);
    peer.send(Response::hello, hello.id, peer.reply);
    return peer.expect(Request::replica_login);
  }

  cb::testing::Account account_;
};

TEST_F(SourceOfCopies, that_knows_no_replicas_yet_is_told_to_be_too_old) {
  const ScriptedPeer peer(account_, [](V4Peer& one) {
    const auto login = begin(one);
    one.send(Response::failure, login.id,
             v4::failure_of(fail(Code::state, "request", "is not answered here"), true));
  });
  const auto source = open(peer);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, Code::unsupported);
  EXPECT_THAT(source.error().text(), ::testing::HasSubstr("is too old to be copied from"));
  EXPECT_THAT(source.error().text(), ::testing::HasSubstr("update the source"));
}

TEST_F(SourceOfCopies, that_refuses_the_token_is_not_told_to_be_old) {
  const ScriptedPeer peer(account_, [](V4Peer& one) {
    const auto login = begin(one);
    one.send(Response::failure, login.id,
             v4::failure_of(fail(Code::denied, "replica token", "is not known here"), true));
  });
  const auto source = open(peer);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, Code::denied);
}

TEST_F(SourceOfCopies, that_speaks_another_version_gets_no_token) {
  ScriptedPeer peer(account_, [](V4Peer& one) {
    const auto hello = one.expect(Request::hello);
    one.reply.set_version(3);
    one.send(Response::hello, hello.id, one.reply);
    EXPECT_THROW(one.read(), cb::testing::PeerGone);
  });
  const auto source = open(peer);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, Code::unsupported);
  EXPECT_THAT(source.error().text(), ::testing::HasSubstr("version 3"));
  peer.join();
  EXPECT_EQ(peer.connections(), 1U);
}

TEST_F(SourceOfCopies, that_lists_what_is_no_account_name_is_refused_as_a_whole) {
  const ScriptedPeer peer(account_, [](V4Peer& one) {
    const auto login = begin(one);
    one.send(Response::replica_login, login.id, v4::pb::ReplicaLoginReply());
    const auto asked = one.expect(Request::replica_accounts);
    v4::pb::ReplicaAccountsReply reply;
    for (const char* name : {"alice", "bob\nroot logged in"}) {
      auto* account = reply.add_accounts();
      account->set_account(name);
      account->set_repository(std::string(16, 'r'));
      account->set_root(std::string(32, 'o'));
      account->set_chain_key(std::string(32, 's'));
    }
    reply.set_last(true);
    one.send(Response::replica_accounts, asked.id, reply);
    one.wait_for_end();
  });
  const auto source = open(peer);
  ASSERT_TRUE(source) << source.error().text();
  const auto accounts = (*source)->accounts();
  ASSERT_FALSE(accounts);
  EXPECT_EQ(accounts.error().code, Code::corrupt);
  EXPECT_THAT(accounts.error().text(), ::testing::HasSubstr("whose name is none"));
}

}  // namespace
}  // namespace cb::replication
