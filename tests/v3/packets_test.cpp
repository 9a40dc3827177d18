// SPDX-License-Identifier: Apache-2.0
//
// The ways in which programs cut, number and label the packets of a file (legacy-protocol 9).
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "core/protocol/v3/cksum.h"
#include "tests/v3/v3_client.h"
#include "tests/v3/v3_server.h"

namespace cb::server {
namespace {

class V3Packets : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(client_.sign_up()); }
  void expect_backed_up(size_t size, const PacketStyle& style) {
    const Bytes file = noise(size, static_cast<uint32_t>(size));
    ASSERT_TRUE(client_.back_up("f", file, style)) << size << " bytes\n" << server_.log().text();
    ASSERT_EQ(server_.stored(client_.id, "f"), file) << size << " bytes";
  }

  V3Server server_;
  V3Client client_{server_.port(), "alice"};
};

TEST_F(V3Packets, files_of_every_size_around_the_borders_arrive) {
  for (const size_t size :
       {0, 1, 15, 16, 17, 1023, 1024, 65519, 65520, 65535, 65536, 65537, 131072, 131073, 1000000})
    expect_backed_up(size, PacketStyle{});
}

TEST_F(V3Packets, pieces_of_any_size_arrive) {
  for (const size_t piece : {1, 7, 16, 100, 1024, 8192, 65536, 1 << 20})
    expect_backed_up(piece < 1024 ? 3001 : 200001, PacketStyle{.piece = piece});
}

TEST_F(V3Packets, packets_may_be_numbered_from_zero) {
  expect_backed_up(5000, PacketStyle{.piece = 1024, .from_zero = true});
  expect_backed_up(10, PacketStyle{.piece = 1024, .from_zero = true});
}

TEST_F(V3Packets, the_content_size_may_be_that_of_the_whole_ciphertext) {
  expect_backed_up(40960, PacketStyle{.piece = 8192, .total_content_size = true});
}

TEST_F(V3Packets, the_last_packet_may_be_filled_with_zeros) {
  for (const size_t size : {10, 1000, 1008, 1024, 5000})
    expect_backed_up(
        size,
        PacketStyle{.piece = 1024, .from_zero = true, .total_content_size = true, .fill_to = 1024});
}

TEST_F(V3Packets, a_zero_iv_in_front_of_the_ciphertext_is_dropped) {
  for (const size_t size : {0, 5, 65536, 200000})
    expect_backed_up(size, PacketStyle{.piece = 8192, .zero_iv_in_front = true});
}

TEST_F(V3Packets, packets_out_of_order_are_put_in_order) {
  const Bytes file = noise(300000, 3);
  std::vector<V3Packet> packets = client_.packets("f", file, PacketStyle{.piece = 4096});
  const uint32_t seed = 20260101;
  std::shuffle(packets.begin() + 1, packets.end(), std::mt19937(seed));
  for (const V3Packet& packet : packets) ASSERT_TRUE(client_.send(packet));
  ASSERT_EQ(client_.code(), 1603) << "seed " << seed;
  client_.verdict(v3::Request::checksum_right, "f");
  ASSERT_EQ(client_.code(), 1604);
  EXPECT_EQ(server_.stored(client_.id, "f"), file);
}

TEST_F(V3Packets, a_packet_that_waits_for_its_turn_may_be_replaced) {
  const Bytes file = noise(30000, 4);
  std::vector<V3Packet> packets = client_.packets("f", file, PacketStyle{.piece = 10000});
  V3Packet wrong = packets[2];
  std::fill(wrong.content.begin(), wrong.content.end(), std::byte{1});
  ASSERT_TRUE(client_.send(packets[0]));
  ASSERT_TRUE(client_.send(wrong));
  ASSERT_TRUE(client_.send(packets[2]));
  ASSERT_TRUE(client_.send(packets[1]));
  ASSERT_TRUE(client_.send(packets[3]));
  ASSERT_EQ(client_.code(), 1603);
  client_.verdict(v3::Request::checksum_right, "f");
  ASSERT_EQ(client_.code(), 1604);
  EXPECT_EQ(server_.stored(client_.id, "f"), file);
}

TEST_F(V3Packets, packet_one_begins_anew_and_forgets_what_came_before) {
  const Bytes file = noise(30000, 5);
  const std::vector<V3Packet> packets = client_.packets("f", file, PacketStyle{.piece = 10000});
  ASSERT_TRUE(client_.send(packets[0]));
  ASSERT_TRUE(client_.send(packets[1]));
  EXPECT_TRUE(client_.back_up("f", file, PacketStyle{.piece = 10000}));
  EXPECT_EQ(server_.upload_count(), 1U);
}

TEST_F(V3Packets, a_sent_path_is_stored_under_its_last_component_and_echoed_as_sent) {
  for (const std::string& sent :
       {std::string("C:\\data\\report.txt"), std::string("/srv/data/report.txt")}) {
    const auto reply = client_.upload(sent, as_bytes("text"));
    ASSERT_TRUE(reply) << sent;
    EXPECT_EQ(v3::text_in(reply->name), sent);
    client_.verdict(v3::Request::checksum_right, sent);
    EXPECT_EQ(client_.code(), 1604);
  }
  EXPECT_EQ(server_.catalog().versions(client_.id)->size(), 2U);
  EXPECT_EQ(server_.catalog().versions(client_.id)->front().file_name, "report.txt");
}

TEST_F(V3Packets, a_name_that_fills_its_field_without_a_zero_is_accepted) {
  const std::string name(255, 'n');
  EXPECT_TRUE(client_.back_up(name, as_bytes("x")));
  EXPECT_EQ(as_text(*server_.stored(client_.id, name)), "x");
}

TEST_F(V3Packets, several_files_may_be_sent_on_one_connection_and_interleaved) {
  const Bytes first = noise(20000, 6);
  const Bytes second = noise(20000, 7);
  const auto a = client_.packets("a", first, PacketStyle{.piece = 8192});
  const auto b = client_.packets("b", second, PacketStyle{.piece = 8192});
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_TRUE(client_.send(a[i]));
    ASSERT_TRUE(client_.send(b[i]));
  }
  EXPECT_EQ(client_.code(), 1603);
  EXPECT_EQ(client_.code(), 1603);
  client_.verdict(v3::Request::checksum_right, "a");
  client_.verdict(v3::Request::checksum_right, "b");
  EXPECT_EQ(client_.code(), 1604);
  EXPECT_EQ(client_.code(), 1604);
  EXPECT_EQ(server_.stored(client_.id, "a"), first);
  EXPECT_EQ(server_.stored(client_.id, "b"), second);
}

TEST(V3Packets2023,
     the_dialect_of_2023_is_served_with_content_inside_or_outside_the_counted_payload) {
  V3Settings settings;
  V3Server server(settings, Dialect::of_2023);
  V3Peer peer(server.port());
  const V3Key key = V3Key::make();
  const v3::TextField name = v3::text_field("ben").value();
  peer.request(ClientId{}, v3::Request::sign_up, {name});
  auto response = peer.response();
  ASSERT_EQ(response->header.code, 2100);
  const ClientId id = v3::parse_id_reply(response->payload).value();
  peer.request(id, v3::Request::send_key, {name, key.public_der});
  response = peer.response();
  ASSERT_EQ(response->header.code, 2102);
  const auto aes = open_aes_key(key.private_der, ByteView(response->payload).subspan(16), true);
  ASSERT_TRUE(aes);
  ASSERT_EQ(aes->size(), 16U);
  const Bytes file = noise(100000, 8);
  const Bytes cipher = encrypt_file(*aes, file);
  const v3::FileHead2023 head{static_cast<uint32_t>(cipher.size()), v3::text_field("f").value()};
  for (const bool counted : {false, true}) {
    const auto size = static_cast<uint32_t>(259 + (counted ? cipher.size() : 0));
    peer.send(protocol::encode(protocol::RequestHeader{id, 3, 1028, size}));
    peer.send(v3::encode(head));
    peer.send(cipher);
    response = peer.response();
    ASSERT_EQ(response->header.code, 2103);
    const v3::FileReply reply = v3::parse_file_reply(response->payload).value();
    EXPECT_EQ(reply.content_size, file.size()) << "the plain size, in this dialect";
    EXPECT_EQ(reply.cksum, v3::cksum_of(file));
    peer.request(id, v3::Request::checksum_right, {v3::text_field("f").value()});
    EXPECT_EQ(peer.response()->header.code, 2104);
  }
  EXPECT_EQ(server.stored(id, "f"), file);
}

}  // namespace
}  // namespace cb::server
