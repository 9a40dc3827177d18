// SPDX-License-Identifier: Apache-2.0
//
// Who a v3 client is to the server: registration, reconnection, keys, and the verdicts on a
// checksum.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "core/protocol/v3/cksum.h"
#include "tests/v3/v3_client.h"
#include "tests/v3/v3_server.h"

namespace cb::server {
namespace {

using namespace std::chrono_literals;
using v3::Request;

TEST(V3Session, a_client_registers_and_its_file_comes_back) {
  V3Server server;
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  const Bytes file = noise(200000, 1);
  ASSERT_TRUE(client.back_up("big.bin", file));
  EXPECT_EQ(server.stored(client.id, "big.bin"), file);
}

TEST(V3Session, neither_a_key_nor_content_is_in_the_log) {
  V3Server server;
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  ASSERT_TRUE(client.back_up("diary", as_bytes("the words of a diary")));
  ASSERT_TRUE(client.reconnect());
  ASSERT_EQ(client.aes_key.size(), 32U);
  const std::string log = server.log().text();
  for (const std::string& secret : {to_hex(client.aes_key), to_base64(client.aes_key).substr(0, 40),
                                    std::string(as_text(client.aes_key)), std::string("the words")})
    EXPECT_EQ(log.find(secret), std::string::npos);
  EXPECT_NE(log.find("v3.client.registered"), std::string::npos);
}

TEST(V3Session, sending_a_name_again_makes_a_new_version_and_keeps_the_old_one) {
  V3Server server;
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  ASSERT_TRUE(client.back_up("note", as_bytes("one")));
  ASSERT_TRUE(client.back_up("note", as_bytes("two")));
  EXPECT_EQ(as_text(*server.stored(client.id, "note")), "two");
  EXPECT_EQ(server.catalog().versions(client.id)->size(), 2U);
  EXPECT_EQ(server.upload_count(), 2U);
}

TEST(V3Session, equal_names_of_two_clients_never_meet) {
  V3Server server;
  V3Client alice(server.port(), "alice");
  V3Client bob(server.port(), "bob");
  ASSERT_TRUE(alice.sign_up());
  ASSERT_TRUE(bob.sign_up());
  ASSERT_TRUE(alice.back_up("note", as_bytes("from alice")));
  ASSERT_TRUE(bob.back_up("note", as_bytes("from bob")));
  EXPECT_EQ(as_text(*server.stored(alice.id, "note")), "from alice");
  EXPECT_EQ(as_text(*server.stored(bob.id, "note")), "from bob");
}

TEST(V3Session, a_taken_name_is_refused_and_the_connection_stays) {
  V3Server server;
  V3Client first(server.port(), "alice");
  ASSERT_TRUE(first.sign_up());
  V3Client second(server.port(), "alice");
  EXPECT_FALSE(second.sign_up());
  second.name = "alice2";
  EXPECT_TRUE(second.sign_up());
}

TEST(V3Session, names_that_no_client_may_have_are_refused_with_1601) {
  V3Server server;
  for (const std::string& name :
       {std::string(), std::string(101, 'x'), std::string("a\x01z"), std::string("\xff\xfe")}) {
    V3Peer peer(server.port());
    peer.request(ClientId{}, Request::sign_up, {v3::text_field(name).value()});
    EXPECT_EQ(peer.response()->header.code, 1601) << name;
  }
}

TEST(V3Session, an_unknown_id_gets_1606_and_may_send_its_key_as_an_implied_registration) {
  V3Server server;
  V3Client client(server.port(), "moved");
  client.id = ClientId::from_hex_text("00112233445566778899aabbccddeeff").value();
  const v3::TextField name = v3::text_field("moved").value();
  client.peer->request(client.id, Request::reconnect, {name});
  const auto refused = client.peer->response();
  ASSERT_EQ(refused->header.code, 1606);
  EXPECT_EQ(refused->payload, to_bytes(client.id.view()));
  client.peer->request(client.id, Request::send_key, {name, client.key.public_der});
  EXPECT_EQ(client.code(), 1602);
  EXPECT_TRUE(server.catalog().client_by_name("moved").value().has_value());
}

TEST(V3Session, a_key_from_an_id_that_was_never_refused_is_an_error) {
  V3Server server;
  V3Client client(server.port(), "x");
  const v3::TextField name = v3::text_field("x").value();
  const ClientId id = ClientId::from_hex_text("00112233445566778899aabbccddeeff").value();
  client.peer->request(id, Request::send_key, {name, client.key.public_der});
  EXPECT_EQ(client.code(), 1607);
  EXPECT_TRUE(client.peer->ended());
}

TEST(V3Session, a_registration_that_never_sent_a_key_cannot_reconnect) {
  V3Server server;
  V3Client client(server.port(), "halfway");
  client.peer->request(ClientId{}, Request::sign_up, {v3::text_field("halfway").value()});
  client.id = v3::parse_id_reply(client.peer->response()->payload).value();
  client.peer->request(client.id, Request::reconnect, {v3::text_field("halfway").value()});
  EXPECT_EQ(client.code(), 1606);
  client.peer->request(client.id, Request::send_key,
                       {v3::text_field("halfway").value(), client.key.public_der});
  EXPECT_EQ(client.code(), 1602);
}

TEST(V3Session, a_name_whose_registration_was_cut_short_can_be_registered_again) {
  V3Server server;
  {
    V3Peer cut(server.port());
    cut.request(ClientId{}, Request::sign_up, {v3::text_field("alice").value()});
    ASSERT_EQ(cut.response()->header.code, 1600);
  }
  V3Client again(server.port(), "alice");
  ASSERT_TRUE(again.sign_up());
  EXPECT_TRUE(again.back_up("note", as_bytes("x")));
  V3Client thief(server.port(), "alice");
  EXPECT_FALSE(thief.sign_up());
}

TEST(V3Session, the_hash_that_a_client_can_open_is_learned_and_kept) {
  V3Server server;
  V3Client client(server.port(), "old");
  client.sha1 = true;
  EXPECT_FALSE(client.sign_up()) << "the first key comes under SHA-256";
  client.peer.reset();
  server.wait_until_idle();
  ASSERT_TRUE(client.reconnect()) << "the second one under SHA-1";
  ASSERT_TRUE(client.back_up("note", as_bytes("now")));
  client.peer.reset();
  server.wait_until_idle();
  const auto known = server.catalog().client_by_id(client.id).value();
  EXPECT_EQ(known->oaep, catalog::OaepHash::sha1);
  EXPECT_TRUE(known->oaep_proven);
  // A proven choice is not given up because one connection did nothing.
  ASSERT_TRUE(client.reconnect());
  client.peer.reset();
  server.wait_until_idle();
  EXPECT_TRUE(client.reconnect());
}

TEST(V3Session, a_fixed_hash_is_never_changed_by_what_clients_do) {
  V3Settings settings;
  settings.oaep = OaepChoice::sha256;
  V3Server server(settings);
  V3Client client(server.port(), "old");
  client.sha1 = true;
  EXPECT_FALSE(client.sign_up());
  client.peer.reset();
  server.wait_until_idle();
  EXPECT_FALSE(client.reconnect());
  client.sha1 = false;
  EXPECT_TRUE(client.reconnect());
}

TEST(V3Session, nothing_is_visible_before_1029_and_a_cut_leaves_nothing) {
  V3Server server;
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  ASSERT_TRUE(client.upload("note", noise(300000, 2)));
  EXPECT_FALSE(server.stored(client.id, "note"));
  client.peer.reset();
  server.wait_until_idle();
  EXPECT_FALSE(server.stored(client.id, "note"));
  EXPECT_EQ(server.upload_count(), 0U);
  EXPECT_TRUE(std::filesystem::is_empty(server.folder() / "store" / "tmp"));
}

TEST(V3Session, giving_up_leaves_nothing_and_keeps_what_was_confirmed_before) {
  V3Server server;
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  ASSERT_TRUE(client.back_up("note", as_bytes("good")));
  ASSERT_TRUE(client.upload("note", as_bytes("bad")));
  client.verdict(Request::checksum_give_up, "note");
  EXPECT_EQ(client.code(), 1604);
  EXPECT_EQ(as_text(*server.stored(client.id, "note")), "good");
  EXPECT_EQ(server.upload_count(), 1U);
}

TEST(V3Session, a_resend_announced_by_1030_is_not_acknowledged_when_the_file_follows) {
  V3Settings settings;
  settings.ack_delay = 10s;
  V3Server server(settings);
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  ASSERT_TRUE(client.upload("note", as_bytes("one")));
  client.verdict(Request::checksum_retry, "note");
  ASSERT_TRUE(client.back_up("note", as_bytes("one"))) << "the answer is 1603 and not a late 1604";
  EXPECT_EQ(as_text(*server.stored(client.id, "note")), "one");
}

TEST(V3Session, a_client_that_waits_for_the_answer_to_1030_gets_it) {
  V3Settings settings;
  settings.ack_delay = 20ms;
  V3Server server(settings);
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  ASSERT_TRUE(client.upload("note", as_bytes("one")));
  client.verdict(Request::checksum_retry, "note");
  const auto late = client.peer->response();
  ASSERT_EQ(late->header.code, 1604);
  EXPECT_EQ(late->payload, to_bytes(client.id.view()));
  EXPECT_TRUE(client.back_up("note", as_bytes("one")));
}

TEST(V3Session, resends_are_limited) {
  V3Settings settings;
  settings.max_resends = 2;
  settings.ack_resend_at_once = true;
  V3Server server(settings);
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(client.upload("note", as_bytes("x")));
    client.verdict(Request::checksum_retry, "note");
    ASSERT_EQ(client.code(), 1604);
  }
  ASSERT_TRUE(client.upload("note", as_bytes("x")));
  client.verdict(Request::checksum_retry, "note");
  EXPECT_EQ(client.code(), 1607);
  EXPECT_TRUE(client.peer->ended());
}

TEST(V3Session, confirming_twice_is_acknowledged_twice_and_stored_once) {
  V3Server server;
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  ASSERT_TRUE(client.back_up("note", as_bytes("x")));
  client.verdict(Request::checksum_right, "note");
  EXPECT_EQ(client.code(), 1604);
  EXPECT_EQ(server.catalog().versions(client.id)->size(), 1U);
}

TEST(V3Session, confirming_what_was_never_sent_is_an_error_and_the_connection_stays) {
  V3Server server;
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  client.verdict(Request::checksum_right, "ghost");
  EXPECT_EQ(client.code(), 1607);
  EXPECT_TRUE(client.back_up("note", as_bytes("x")));
}

TEST(V3Session, request_numbers_of_the_other_edition_mean_the_same) {
  V3Server server;
  V3Peer peer(server.port());
  protocol::RequestHeader header{ClientId{}, 3, 825, 255};
  peer.send(protocol::encode(header));
  peer.send(v3::text_field("alias").value());
  EXPECT_EQ(peer.response()->header.code, 1600);
}

TEST(V3Session, two_connections_of_one_client_each_use_the_key_they_were_given) {
  V3Server server;
  V3Client first(server.port(), "alice");
  ASSERT_TRUE(first.sign_up());
  V3Client second(server.port(), "alice");
  second.id = first.id;
  ASSERT_TRUE(second.reconnect());
  EXPECT_TRUE(first.back_up("a", as_bytes("by the first")));
  EXPECT_TRUE(second.back_up("b", as_bytes("by the second")));
}

TEST(V3Session, a_known_id_may_upload_on_a_connection_of_its_own) {
  V3Server server;
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  client.peer = std::make_unique<V3Peer>(server.port());
  EXPECT_TRUE(client.back_up("note", as_bytes("x")));
}

TEST(V3Session, a_draining_daemon_lets_an_upload_end_and_takes_nobody_new) {
  V3Server server;
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  const Bytes file = noise(300000, 11);
  const auto packets = client.packets("f", file);
  ASSERT_TRUE(client.send(packets.front()));
  ASSERT_TRUE(server.log().wait_for("event=v3.client.registered", 10s));
  while (server.daemon().status()["uploads"] != 1) std::this_thread::yield();
  const uint16_t port = server.port();
  std::promise<void> drained;
  server.daemon().begin_drain([&] { drained.set_value(); });
  ASSERT_TRUE(server.log().wait_for("event=drain.begin", 10s));
  for (size_t i = 1; i < packets.size(); ++i) ASSERT_TRUE(client.send(packets[i]));
  EXPECT_EQ(client.code(), 1603);
  client.verdict(Request::checksum_right, "f");
  EXPECT_EQ(client.code(), 1604);
  drained.get_future().wait();
  EXPECT_THROW(V3Peer{port}, std::runtime_error);
  EXPECT_EQ(server.stored(client.id, "f"), file);
}

TEST(V3Session, packs_that_a_crash_left_are_removed_at_the_start) {
  V3Server server;
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  ASSERT_TRUE(client.back_up("note", as_bytes("kept")));
  const auto repository = server.catalog().index().repositories()->front();
  const repository::PackName name{{std::byte{0xab}}};
  plugin::Put orphan =
      server.store()
          .put_begin("v4/" + to_hex(repository.id) + "/pack/ab/" + name.hex(), 0, true)
          .value();
  ASSERT_TRUE(orphan.write(as_bytes("never confirmed")));
  ASSERT_TRUE(orphan.commit());
  EXPECT_THROW(server.upload_count(), std::runtime_error);
  server.restart();
  EXPECT_EQ(server.upload_count(), 1U);
  EXPECT_TRUE(server.log().contains("event=store.leftovers-removed objects=1"));
  EXPECT_EQ(as_text(*server.stored(client.id, "note")), "kept");
}

}  // namespace
}  // namespace cb::server
