// SPDX-License-Identifier: Apache-2.0
//
// How protocol 3 ends, for a listener and for a client: modes, ratchet, lifts, and what is kept of
// how it was used.
#include <gtest/gtest.h>

#include "core/server/stopped_clock.h"
#include "tests/v3/v3_client.h"
#include "tests/v3/v3_server.h"

namespace cb::server {
namespace {

using namespace std::chrono_literals;
using catalog::LegacyPolicy;
using v3::Request;

// What a client hears that may not go on: 1607, and the end.
void expect_end(V3Client& client) {
  EXPECT_EQ(client.code(), 1607);
  EXPECT_TRUE(client.peer->ended());
}

void send_login(V3Client& client, uint16_t port) {
  client.peer = std::make_unique<V3Peer>(port);
  client.peer->request(client.id, Request::reconnect, {v3::text_field(client.name).value()});
}

void send_first_packet(V3Client& client) {
  client.send(client.packets("late", as_bytes("late")).front());
}

// A client that registered, uploaded once and is connected.
class V3End : public testing::Test {
 protected:
  void begin(V3ServerOptions options = {}) {
    server_ = std::make_unique<V3Server>(V3Settings{}, Dialect::usual, std::move(options));
    client_ = std::make_unique<V3Client>(server_->port(), "alice");
    ASSERT_TRUE(client_->sign_up());
    ASSERT_TRUE(client_->back_up("note", as_bytes("one")));
  }
  LegacyPolicy policy() { return server_->catalog().legacy_policy(client_->id).value(); }

  StoppedClock clock_;
  std::unique_ptr<V3Server> server_;
  std::unique_ptr<V3Client> client_;
};

TEST_F(V3End, a_listener_that_becomes_secure_ends_its_sessions_at_their_next_request) {
  begin();
  ASSERT_TRUE(server_->reload(in_mode("secure")));
  EXPECT_EQ(server_->daemon().session_count(), 1U);
  send_first_packet(*client_);
  expect_end(*client_);
  send_login(*client_, server_->port());
  expect_end(*client_);
  EXPECT_EQ(server_->upload_count(), 1U);
  EXPECT_TRUE(
      server_->log().contains("event=listener.versions listener=127.0.0.1:0 before=3 "
                              "now=none"))
      << server_->log().text();
  EXPECT_FALSE(server_->log().contains("reload.needs-restart"));
}

TEST_F(V3End, a_listener_that_becomes_legacy_again_serves_again) {
  begin();
  ASSERT_TRUE(server_->reload(in_mode("secure")));
  ASSERT_TRUE(server_->reload(in_mode("legacy")));
  EXPECT_TRUE(client_->back_up("note", as_bytes("two")));
  EXPECT_TRUE(client_->reconnect());
}

TEST_F(V3End, compat_on_a_plain_transport_is_protocol_3_alone) {
  V3ServerOptions options;
  options.set = in_mode("compat");
  begin(std::move(options));
  EXPECT_EQ(server_->daemon().status()["listeners"][0]["versions"], report::Json({3}));
}

TEST_F(V3End, a_reload_that_asks_for_protocol_4_on_a_plain_transport_changes_nothing) {
  begin();
  const Status done = server_->reload({"listen.0.versions=[4]", "limits.connections=1"});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unsupported);
  EXPECT_TRUE(client_->back_up("note", as_bytes("two")));
  V3Client other(server_->port(), "bob");
  EXPECT_TRUE(other.sign_up()) << "a limit of the refused reload is in force";
}

TEST_F(V3End, a_running_session_is_refused_once_the_ratchet_has_closed) {
  begin();
  const auto reply = client_->upload("under way", as_bytes("under way"));
  ASSERT_TRUE(reply);
  server_->decide(client_->id, [](LegacyPolicy& policy) { policy.ended_ns = 1; });
  client_->verdict(Request::checksum_right, "under way");
  EXPECT_EQ(client_->code(), 1604) << "what came is kept";
  send_first_packet(*client_);
  expect_end(*client_);
  EXPECT_EQ(server_->upload_count(), 2U);
}

TEST_F(V3End, every_way_in_is_refused_after_the_ratchet) {
  begin();
  server_->decide(client_->id, [](LegacyPolicy& policy) { policy.ended_ns = 1; });
  send_login(*client_, server_->port());
  expect_end(*client_);
  V3Peer peer(server_->port());
  const v3::TextField name = v3::text_field("alice").value();
  peer.request(ClientId{}, Request::sign_up, {name});
  EXPECT_EQ(peer.response()->header.code, 1601);
  peer.request(client_->id, Request::send_key, {name, client_->key.public_der});
  EXPECT_EQ(peer.response()->header.code, 1607);
  EXPECT_TRUE(peer.ended());
  EXPECT_EQ(server_->log().count("v3.refused.ended"), 3U) << server_->log().text();
  EXPECT_TRUE(server_->log().contains("client=" + client_->id.hex() + " name=alice peer="));
}

TEST_F(V3End, a_lift_serves_again_until_its_time_is_over) {
  V3ServerOptions options;
  options.clock = &clock_;
  begin(std::move(options));
  const int64_t week = std::chrono::nanoseconds(7 * 24h).count();
  server_->decide(client_->id, [&](LegacyPolicy& policy) {
    policy.ended_ns = clock_.wall().count();
    policy.lifted_until_ns = clock_.wall().count() + week;
  });
  clock_.forward(7 * 24h - 1ns);
  EXPECT_TRUE(client_->reconnect());
  EXPECT_TRUE(client_->back_up("note", as_bytes("two")));
  clock_.forward(1ns);
  send_first_packet(*client_);
  expect_end(*client_);
  send_login(*client_, server_->port());
  expect_end(*client_);
  EXPECT_EQ(server_->upload_count(), 2U);
}

TEST_F(V3End, the_servers_min_version_ends_protocol_3_for_everybody_at_once) {
  begin();
  V3Settings settings;
  settings.min_version = 4;
  server_->reconfigure(settings);
  send_first_packet(*client_);
  expect_end(*client_);
  V3Client other(server_->port(), "bob");
  EXPECT_FALSE(other.sign_up());
  EXPECT_FALSE(server_->catalog().client_by_name("bob").value());
}

TEST_F(V3End, without_new_clients_only_those_that_are_known_are_served) {
  begin();
  V3Settings settings;
  settings.new_clients = false;
  server_->reconfigure(settings);
  EXPECT_TRUE(client_->reconnect());
  EXPECT_TRUE(client_->back_up("note", as_bytes("two")));
  V3Peer peer(server_->port());
  const v3::TextField name = v3::text_field("bob").value();
  peer.request(ClientId{}, Request::sign_up, {name});
  EXPECT_EQ(peer.response()->header.code, 1601);
  const ClientId id = ClientId::from_hex_text("00112233445566778899aabbccddeeff").value();
  peer.request(id, Request::reconnect, {name});
  EXPECT_EQ(peer.response()->header.code, 1606);
  peer.request(id, Request::send_key, {name, client_->key.public_der});
  EXPECT_EQ(peer.response()->header.code, 1607) << "an implied registration is one, too";
  EXPECT_FALSE(server_->catalog().client_by_name("bob").value());
}

TEST_F(V3End, another_key_of_a_client_that_has_files_is_remembered_for_ever) {
  begin();
  EXPECT_FALSE(policy().key_replaced);
  const V3Key other = V3Key::make();
  const v3::TextField name = v3::text_field("alice").value();
  client_->peer->request(client_->id, Request::send_key, {name, other.public_der});
  EXPECT_EQ(client_->code(), 1602) << "the protocol lets it";
  EXPECT_TRUE(policy().key_replaced);
  EXPECT_TRUE(server_->log().contains("warn event=v3.key.replaced client=" + client_->id.hex()));
  client_->peer->request(client_->id, Request::send_key, {name, client_->key.public_der});
  EXPECT_EQ(client_->code(), 1602);
  EXPECT_TRUE(policy().key_replaced);
}

TEST_F(V3End, the_same_key_again_and_another_one_before_the_first_file_are_no_replacement) {
  begin();
  const v3::TextField name = v3::text_field("alice").value();
  client_->peer->request(client_->id, Request::send_key, {name, client_->key.public_der});
  EXPECT_EQ(client_->code(), 1602);
  EXPECT_FALSE(policy().key_replaced);
  V3Client fresh(server_->port(), "bob");
  ASSERT_TRUE(fresh.sign_up());
  fresh.peer->request(fresh.id, Request::send_key,
                      {v3::text_field("bob").value(), V3Key::make().public_der});
  EXPECT_EQ(fresh.code(), 1602);
  EXPECT_FALSE(server_->catalog().legacy_policy(fresh.id)->key_replaced);
}

TEST_F(V3End, logins_and_confirmed_uploads_are_counted_by_listener_and_address) {
  V3ServerOptions options;
  options.set = {"listen.0.name=office"};
  options.clock = &clock_;
  begin(std::move(options));
  const int64_t first = clock_.wall().count();
  clock_.forward(1h);
  ASSERT_TRUE(client_->reconnect());
  ASSERT_TRUE(client_->back_up("note", as_bytes("four")));
  ASSERT_TRUE(client_->upload("dropped", as_bytes("not this")));
  client_->verdict(Request::checksum_give_up, "dropped");
  EXPECT_EQ(client_->code(), 1604);
  const std::vector<catalog::LegacyUse> expected = {
      {"office", "127.0.0.1", first, clock_.wall().count(), 2, 2, 3 + 4}};
  EXPECT_EQ(server_->catalog().legacy_uses(client_->id).value(), expected);
}

}  // namespace
}  // namespace cb::server
