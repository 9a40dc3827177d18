// SPDX-License-Identifier: Apache-2.0
//
// Clients that registered before, whatever the server still knows of them.

#include "tests/v3-client/v3_client_fixture.h"

namespace cb::testing {
namespace {

using client::V3Outcome;
using v3::Reply;
using v3::Request;
using Codes = std::vector<uint16_t>;

class KnownClient : public V3Client {
 protected:
  // Leaves an identity behind, as an earlier run would.
  void SetUp() override {
    ScriptedServer server([&](Peer& peer) {
      side_.register_client(peer, id_);
      side_.answer_file(peer, id_, peer.read_file());
      peer.expect(Request::checksum_right);
      peer.reply(Reply::acknowledged, {id_.view()});
    });
    send(server.port(), {make_file("first", "x")});
  }

  void take_file(Peer& peer, const ClientId& id) {
    side_.answer_file(peer, id, peer.read_file());
    peer.expect(Request::checksum_right);
    peer.reply(Reply::acknowledged, {id.view()});
  }

  const ClientId new_id_ = id_of(9);
};

TEST_F(KnownClient, continues_as_registered_whatever_the_address) {
  ScriptedServer server([&](Peer& peer) {
    side_.reconnect(peer, id_);
    take_file(peer, id_);
  });
  const auto report = send(server.port(), {make_file("a", "y")});
  const auto& log = server.join();
  EXPECT_EQ(report.files[0].outcome, V3Outcome::confirmed);
  EXPECT_EQ(server.codes(), (Codes{1027, 1028, 1029}));
  for (const auto& request : log) EXPECT_EQ(request.header.client, id_);
}

TEST_F(KnownClient, registers_on_the_same_connection_when_refused) {
  for (const bool with_id : {true, false}) {
    ScriptedServer server([&](Peer& peer) {
      const auto request = peer.expect(Request::reconnect);
      if (with_id)
        peer.reply(Reply::reconnect_refused, {request.header.client.view()});
      else
        peer.reply(Reply::reconnect_refused);
      side_.register_client(peer, new_id_);
      take_file(peer, new_id_);
    });
    const auto report = send(server.port(), {make_file("a", "y")});
    const auto& log = server.join();
    EXPECT_EQ(report.files[0].outcome, V3Outcome::confirmed);
    EXPECT_EQ(server.codes(), (Codes{1027, 1025, 1026, 1028, 1029}));
    EXPECT_TRUE(log[1].header.client.is_zero());
    EXPECT_EQ(me_info().id, new_id_);
  }
}

TEST_F(KnownClient, registers_on_a_new_connection_when_refused_and_closed) {
  ScriptedServer server([&](Peer& peer) {
    if (peer.index() == 0) {
      peer.expect(Request::reconnect);
      return peer.reply(Reply::reconnect_refused, {id_.view()});
    }
    side_.register_client(peer, new_id_);
    take_file(peer, new_id_);
  });
  const auto report = send(server.port(), {make_file("a", "y")});
  server.join();
  EXPECT_EQ(report.files[0].outcome, V3Outcome::confirmed);
  EXPECT_EQ(server.connections(), 2u);
  EXPECT_EQ(me_info().id, new_id_);
}

TEST_F(KnownClient, goes_on_as_the_id_that_came_with_the_refusal) {
  ScriptedServer server([&](Peer& peer) {
    peer.expect(Request::reconnect);
    peer.reply(Reply::reconnect_refused, {new_id_.view()});
    peer.expect(Request::sign_up);
    peer.reply(Reply::sign_up_refused);
    EXPECT_EQ(peer.expect(Request::send_key).header.client, new_id_);
    side_.answer_key(peer, new_id_, ReceivedRequest{0, {{}, 3, 1027, 0}, {}}, Reply::key);
    take_file(peer, new_id_);
  });
  const auto report = send(server.port(), {make_file("a", "y")});
  EXPECT_EQ(report.files[0].outcome, V3Outcome::confirmed);
  EXPECT_EQ(me_info().id, new_id_);
}

TEST_F(KnownClient, with_a_lost_key_sends_a_new_one) {
  std::filesystem::remove(identity() / "priv.key");
  auto me = me_info();
  me.private_key = Secret();
  write_content(identity() / "me.info", as_text(v3::format_me_info(me).view()));
  ScriptedServer server([&](Peer& peer) {
    side_.reconnect(peer, id_);
    side_.exchange_keys(peer, id_);
    take_file(peer, id_);
  });
  const auto report = send(server.port(), {make_file("a", "y")});
  server.join();
  EXPECT_EQ(report.files[0].outcome, V3Outcome::confirmed);
  EXPECT_EQ(server.codes(), (Codes{1027, 1026, 1028, 1029}));
  EXPECT_FALSE(me_info().private_key.empty());
}

TEST_F(KnownClient, with_a_lost_priv_key_uses_the_one_in_me_info) {
  std::filesystem::remove(identity() / "priv.key");
  ScriptedServer server([&](Peer& peer) {
    side_.reconnect(peer, id_);
    take_file(peer, id_);
  });
  const auto report = send(server.port(), {make_file("a", "y")});
  server.join();
  EXPECT_EQ(report.files[0].outcome, V3Outcome::confirmed);
  EXPECT_EQ(server.codes(), (Codes{1027, 1028, 1029}));
  EXPECT_TRUE(std::filesystem::exists(identity() / "priv.key"));
}

TEST_F(V3Client, whose_name_is_taken_is_denied) {
  ScriptedServer server([&](Peer& peer) {
    peer.expect(Request::sign_up);
    peer.raw(v3::response_bytes(Reply::sign_up_refused, {as_bytes("name taken")}));
    peer.wait_for_end();
  });
  const auto report = send(server.port(), {make_file("a", "x"), make_file("b", "y")});
  EXPECT_EQ(report.files[0].outcome, V3Outcome::denied);
  EXPECT_FALSE(std::filesystem::exists(identity() / "me.info"));
}

}  // namespace
}  // namespace cb::testing
