// SPDX-License-Identifier: Apache-2.0
//
// What a v3 peer gets for sending rubbish: the protocol's error or a closed connection, a line in
// the log that says who and why, and nothing taken from other clients.
#include <gtest/gtest.h>

#include "core/server/stopped_clock.h"
#include "tests/v3/v3_client.h"
#include "tests/v3/v3_server.h"

namespace cb::server {
namespace {

using namespace std::chrono_literals;
using v3::Request;

class V3Hostile : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(client_.sign_up()); }

  void expect_error_and_end(V3Peer& peer) {
    const auto response = peer.response();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->header.code, 1607);
    EXPECT_TRUE(peer.ended());
  }
  // 1607 for one packet, then the same client still works on the same connection.
  void expect_refused(const V3Packet& packet) {
    ASSERT_TRUE(client_.send(packet));
    EXPECT_EQ(client_.code(), 1607);
    EXPECT_TRUE(client_.back_up("after", as_bytes("still served")));
  }
  V3Packet packet(const std::string& file = "f") {
    return client_.packets(file, noise(100, 1)).front();
  }

  V3Server server_{[] {
    V3Settings settings;
    settings.request_timeout = 300ms;
    settings.registrations_per_minute = 1000;
    return settings;
  }()};
  V3Client client_{server_.port(), "alice"};
};

TEST_F(V3Hostile, every_other_version_byte_is_answered_1607_and_closed) {
  for (int version = 0; version < 256; ++version) {
    if (version == 3) continue;
    V3Peer peer(server_.port());
    peer.send(protocol::encode(
        protocol::RequestHeader{ClientId{}, static_cast<uint8_t>(version), 1025, 255}));
    expect_error_and_end(peer);
  }
  EXPECT_TRUE(server_.log().contains("protocol version 4 is not served here"));
}

TEST_F(V3Hostile, unknown_codes_are_refused_and_keep_a_known_client) {
  V3Peer stranger(server_.port());
  stranger.send(protocol::encode(protocol::RequestHeader{ClientId{}, 3, 999, 0}));
  expect_error_and_end(stranger);
  client_.peer->send(protocol::encode(protocol::RequestHeader{client_.id, 3, 1032, 5}));
  client_.peer->send(as_bytes("12345"));
  EXPECT_EQ(client_.code(), 1607);
  EXPECT_TRUE(client_.back_up("f", as_bytes("x")));
}

TEST_F(V3Hostile, a_big_endian_client_is_told_apart) {
  V3Peer peer(server_.port());
  peer.send(protocol::encode(protocol::RequestHeader{ClientId{}, 3, 0x0104, 255}));
  expect_error_and_end(peer);
  EXPECT_TRUE(server_.log().contains("big-endian"));
}

TEST_F(V3Hostile, payload_sizes_that_no_request_has_are_refused) {
  for (uint16_t code = 1025; code <= 1031; ++code)
    for (const uint32_t size : {0U, 1U, 254U, 256U, 0xffffffffU}) {
      if (code == 1028 && size == 0xffffffffU) continue;  // a packet may be that long
      V3Peer peer(server_.port());
      peer.send(protocol::encode(protocol::RequestHeader{client_.id, 3, code, size}));
      expect_error_and_end(peer);
    }
}

TEST_F(V3Hostile, packet_numbers_out_of_range_are_refused) {
  V3Packet bad = packet();
  bad.head.total = 0;
  expect_refused(bad);
  bad = packet("g");
  bad.head.packet = 2;
  expect_refused(bad);
  bad = packet("h");
  bad.head.packet = 65535;
  bad.head.total = 65535;
  expect_refused(bad);  // its first packet is missing
}

TEST_F(V3Hostile, an_upload_of_65535_packets_that_never_come_costs_nothing_and_leaves_nothing) {
  V3Packet bad = packet();
  bad.head.total = 65535;
  bad.head.original_size = 0xffffffff;
  ASSERT_TRUE(client_.send(bad));
  EXPECT_TRUE(client_.back_up("after", as_bytes("x")));
  client_.peer.reset();
  server_.wait_until_idle();
  EXPECT_EQ(server_.upload_count(), 1U);
}

TEST_F(V3Hostile, a_packet_that_came_already_ends_the_upload) {
  const auto packets = client_.packets("f", noise(3000, 2), PacketStyle{.piece = 1000});
  ASSERT_TRUE(client_.send(packets[0]));
  ASSERT_TRUE(client_.send(packets[1]));
  ASSERT_TRUE(client_.send(packets[1]));
  EXPECT_EQ(client_.code(), 1607);
  // What was under way of that upload is swallowed without a further answer.
  ASSERT_TRUE(client_.send(packets[2]));
  ASSERT_TRUE(client_.send(packets[3]));
  EXPECT_TRUE(client_.back_up("f", noise(3000, 2)));
}

TEST_F(V3Hostile, sizes_that_change_midway_end_the_upload) {
  auto packets = client_.packets("f", noise(3000, 2), PacketStyle{.piece = 1000});
  ASSERT_TRUE(client_.send(packets[0]));
  packets[1].head.total = 9;
  expect_refused(packets[1]);
  ASSERT_TRUE(client_.send(packets[0]));
  packets[1].head.total = packets[0].head.total;
  packets[1].head.original_size = 2999;
  expect_refused(packets[1]);
}

TEST_F(V3Hostile, a_lying_original_size_is_noticed) {
  for (const uint32_t size : {0U, 16U, 95U, 111U, 112U, 1000U, 0xffffffffU}) {
    V3Packet bad = packet();
    bad.head.original_size = size;
    expect_refused(bad);
  }
}

TEST_F(V3Hostile, a_wrong_content_size_is_refused) {
  V3Packet bad = packet();
  bad.head.content_size = 5;
  expect_refused(bad);
  bad = packet();
  bad.content.clear();
  bad.head.content_size = 0;
  expect_refused(bad);
}

TEST_F(V3Hostile, undecryptable_content_is_refused) {
  V3Packet bad = packet();
  bad.content.back() ^= std::byte{0x55};
  expect_refused(bad);
}

TEST_F(V3Hostile, bytes_after_the_file_that_are_not_zero_are_refused) {
  V3Packet bad = packet();
  bad.content.resize(1024, std::byte{7});
  bad.head.content_size = 112;
  expect_refused(bad);
}

TEST_F(V3Hostile, names_that_no_file_may_have_are_refused) {
  for (const std::string& name :
       {std::string(), std::string(".."), std::string("a/.."), std::string("dir/"),
        std::string("CON"), std::string("LPT1"), std::string("a\x01"), std::string("\xff\xff"),
        std::string("a*b")})
    expect_refused(packet(name));
}

TEST_F(V3Hostile, an_unknown_id_cannot_send_files_or_verdicts) {
  const ClientId stranger = ClientId::from_hex_text("ffffffffffffffffffffffffffffffff").value();
  for (const Request request : {Request::checksum_right, Request::checksum_retry}) {
    V3Peer peer(server_.port());
    peer.request(stranger, request, {v3::text_field("f").value()});
    expect_error_and_end(peer);
  }
  V3Peer peer(server_.port());
  const V3Packet good = packet();
  peer.request(stranger, Request::send_file, {v3::encode(good.head), good.content});
  expect_error_and_end(peer);
}

TEST_F(V3Hostile, keys_that_are_not_rsa_1024_are_refused) {
  const v3::TextField name = v3::text_field("alice").value();
  Bytes rubbish(160, std::byte{0x41});
  client_.peer->request(client_.id, Request::send_key, {name, rubbish});
  EXPECT_EQ(client_.code(), 1607);
  Bytes wide = V3Key::make(2048, 65537).public_der;
  client_.peer->request(client_.id, Request::send_key, {name, wide});
  EXPECT_EQ(client_.code(), 1607);
  Bytes half = client_.key.public_der;
  half[40] = std::byte{0};
  std::fill(half.begin() + 24, half.begin() + 60, std::byte{0xff});
  client_.peer->request(client_.id, Request::send_key, {name, half});
  EXPECT_EQ(client_.code(), 1607);
}

TEST_F(V3Hostile, a_162_byte_key_field_is_read_by_the_length_of_its_der) {
  const v3::TextField name = v3::text_field("alice").value();
  Bytes field = client_.key.public_der;
  field.resize(162, std::byte{0xcc});
  client_.peer->request(client_.id, Request::send_key, {name, field});
  EXPECT_EQ(client_.code(), 1602);
  const Bytes e65537 = V3Key::make(1024, 65537).public_der;
  ASSERT_EQ(e65537.size(), 162U);
  client_.peer->request(client_.id, Request::send_key, {name, e65537});
  EXPECT_EQ(client_.code(), 1602);
}

TEST_F(V3Hostile, a_peer_that_stalls_within_a_request_is_closed_and_others_are_served) {
  V3Peer slow(server_.port());
  slow.send(Bytes(5));
  V3Peer half(server_.port());
  half.request(client_.id, Request::send_file, {v3::encode(packet().head)});
  V3Client other(server_.port(), "other");
  ASSERT_TRUE(other.sign_up());
  EXPECT_TRUE(other.back_up("f", as_bytes("x")));
  EXPECT_FALSE(slow.response());
  EXPECT_TRUE(server_.log().contains("event=v3.session.ended"));
}

TEST_F(V3Hostile, content_that_trickles_falls_behind_its_pace) {
  V3Packet big = client_.packets("f", noise(200000, 9), PacketStyle{.piece = 1 << 20}).front();
  const Bytes request =
      v3::request_bytes(client_.id, Request::send_file, {v3::encode(big.head), big.content});
  ASSERT_TRUE(client_.peer->send(ByteView(request).first(1000)));
  const auto begin = std::chrono::steady_clock::now();
  size_t at = 1000;
  while (client_.peer->silent_for(20ms) && std::chrono::steady_clock::now() - begin < 10s)
    client_.peer->send(ByteView(request).subspan(at++, 1));
  EXPECT_FALSE(client_.peer->response());
  EXPECT_TRUE(server_.log().contains("content: "));
}

TEST(V3Limits, registrations_are_limited_by_address) {
  V3Settings settings;
  settings.registrations_per_minute = 3;
  V3Server server(settings);
  for (int i = 0; i < 3; ++i) {
    V3Client client(server.port(), "c" + std::to_string(i));
    EXPECT_TRUE(client.sign_up());
  }
  V3Client late(server.port(), "late");
  EXPECT_FALSE(late.sign_up());
  EXPECT_TRUE(server.log().contains("too many registrations from 127.0.0.1"));
}

TEST(V3Limits, an_idle_connection_is_closed) {
  V3Settings settings;
  settings.idle_timeout = 50ms;
  V3Server server(settings);
  V3Peer peer(server.port());
  EXPECT_FALSE(peer.response());
  EXPECT_TRUE(server.log().contains("sent nothing for"));
}

TEST(V3Limits, a_connection_that_names_no_client_is_closed_whatever_it_says) {
  StoppedClock clock;
  V3ServerOptions options;
  options.clock = &clock;
  V3Server server({}, Dialect::usual, std::move(options));
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  V3Peer stranger(server.port());
  const ClientId nobody;
  const auto ask = [&] {
    return stranger.request(nobody, v3::Request::reconnect, {v3::text_field("nobody").value()});
  };
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(ask());
    EXPECT_EQ(stranger.response()->header.code, 1606) << "which ends nothing";
    clock.forward(19s);
  }
  ASSERT_TRUE(ask());
  EXPECT_EQ(stranger.response()->header.code, 1606);
  clock.forward(19s);
  ask();
  EXPECT_TRUE(stranger.ended());
  EXPECT_TRUE(client.back_up("note", as_bytes("one"))) << "who has a name may take its time";
}

TEST(V3Limits, an_upload_past_the_limit_is_refused_before_data_is_stored) {
  V3Settings settings;
  settings.max_upload = 1000;
  V3Server server(settings);
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  EXPECT_TRUE(client.back_up("fits", noise(1000, 1)));
  ASSERT_TRUE(client.send(client.packets("large", noise(1001, 1)).front()));
  EXPECT_EQ(client.code(), 1607);
  EXPECT_EQ(server.upload_count(), 1U);
}

TEST(V3Limits, a_full_store_refuses_uploads_before_data_moves_and_says_so) {
  V3Settings settings;
  settings.space_reserve = uint64_t{1} << 60;
  V3Server server(settings);
  V3Client client(server.port(), "alice");
  ASSERT_TRUE(client.sign_up());
  ASSERT_TRUE(client.send(client.packets("f", noise(10, 1)).front()));
  EXPECT_EQ(client.code(), 1607);
  EXPECT_TRUE(server.log().contains("the store has no room for it"));
  EXPECT_EQ(server.daemon().status()["space"]["uploads_refused"], true);
  server.reconfigure(V3Settings{});
  EXPECT_EQ(server.daemon().status()["space"]["uploads_refused"], false);
  ASSERT_TRUE(client.reconnect());
  EXPECT_TRUE(client.back_up("f", as_bytes("x")));
}

}  // namespace
}  // namespace cb::server
