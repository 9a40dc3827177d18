// SPDX-License-Identifier: Apache-2.0
//
// The client against servers that behave as the known implementations do (legacy-protocol 9 and
// 10).
#include <fcntl.h>

#include <numeric>
#include <random>

#include "tests/v3-client/v3_client_fixture.h"

namespace cb::testing {
namespace {

using client::V3Outcome;
using v3::Reply;
using v3::Request;
using Codes = std::vector<uint16_t>;

TEST_F(V3Client, registers_then_sends_and_keeps_its_identity) {
  std::string plain;
  ScriptedServer server([&](Peer& peer) {
    side_.register_client(peer, id_);
    const Bytes cipher = peer.read_file();
    plain = side_.open(cipher);
    side_.answer_file(peer, id_, cipher);
    peer.expect(Request::checksum_right);
    peer.reply(Reply::acknowledged, {id_.view()});
  });
  const auto report = send(server.port(), {make_file("note.txt", "hello")});
  server.join();
  ASSERT_EQ(report.files.size(), 1u);
  EXPECT_EQ(report.files[0].outcome, V3Outcome::confirmed);
  EXPECT_EQ(plain, "hello");
  EXPECT_EQ(server.codes(), (Codes{1025, 1026, 1028, 1029}));
  EXPECT_EQ(me_info().id, id_);
  EXPECT_EQ(me_info().user_name, "Alice Test");
  const auto mode = std::filesystem::status(identity() / "priv.key").permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(V3Client, sends_files_of_every_size_exactly_over_one_connection) {
  std::vector<std::filesystem::path> files;
  std::vector<std::string> expected, got;
  for (const size_t size :
       {0u, 1u, 15u, 16u, 17u, 4095u, 4096u, 65535u, 65536u, 65537u, 131072u, 300000u}) {
    expected.push_back(some_bytes(size));
    files.push_back(make_file("f" + std::to_string(size), expected.back()));
  }
  settings_.piece_size = 4096;
  ScriptedServer server([&](Peer& peer) {
    side_.register_client(peer, id_);
    for (;;) {
      const Bytes cipher = peer.read_file();
      got.push_back(side_.open(cipher));
      side_.answer_file(peer, id_, cipher);
      peer.expect(Request::checksum_right);
      peer.reply(Reply::acknowledged, {id_.view()});
    }
  });
  const auto report = send(server.port(), files);
  server.join();
  for (const auto& file : report.files) EXPECT_EQ(file.outcome, V3Outcome::confirmed) << file.file;
  EXPECT_TRUE(got == expected);
  EXPECT_EQ(server.connections(), 1u);
  EXPECT_EQ(most_progress_, std::accumulate(expected.begin(), expected.end(), size_t{0},
                                            [](size_t sum, auto& f) { return sum + f.size(); }));
}

TEST_F(V3Client, content_size_is_the_packets_or_the_total_as_set) {
  for (const bool total : {false, true}) {
    settings_.piece_size = 1024;
    settings_.content_size = total ? client::ContentSize::total : client::ContentSize::packet;
    ScriptedServer server([&](Peer& peer) {
      if (total)
        side_.reconnect(peer, id_);
      else
        side_.register_client(peer, id_);
      side_.answer_file(peer, id_, peer.read_file());
      peer.expect(Request::checksum_right);
      peer.reply(Reply::acknowledged, {id_.view()});
    });
    send(server.port(), {make_file("two.bin", some_bytes(1500))});
    Codes sizes;
    for (const auto& request : server.join())
      if (request.kind() == Request::send_file)
        sizes.push_back(static_cast<uint16_t>(load_le<uint32_t>(request.payload.data())));
    EXPECT_EQ(sizes, total ? (Codes{1504, 1504}) : (Codes{1024, 480}));
  }
}

TEST_F(V3Client, takes_keys_wrapped_with_sha1) {
  ServerSide side(suites().sha1);
  ScriptedServer server([&](Peer& peer) {
    side.register_client(peer, id_);
    side.answer_file(peer, id_, peer.read_file());
    peer.expect(Request::checksum_right);
    peer.reply(Reply::acknowledged, {id_.view()});
  });
  EXPECT_EQ(send(server.port(), {make_file("a", "x")}).files[0].outcome, V3Outcome::confirmed);
}

TEST_F(V3Client, takes_aes_keys_of_16_bytes) {
  ServerSide side(suite_of_2023());
  ScriptedServer server([&](Peer& peer) {
    side.register_client(peer, id_);
    side.answer_file(peer, id_, peer.read_file());
    peer.expect(Request::checksum_right);
    peer.reply(Reply::acknowledged, {id_.view()});
  });
  EXPECT_EQ(send(server.port(), {make_file("a", "x")}).files[0].outcome, V3Outcome::confirmed);
}

TEST_F(V3Client, speaks_the_dialect_of_2023_to_a_server_that_does) {
  ServerSide side(suite_of_2023(), v3::Dialect::of_2023);
  const std::string content = some_bytes(100000);
  std::string plain;
  ScriptedServer server([&](Peer& peer) {
    side.register_client(peer, id_);
    const auto request = peer.expect(Request::send_file);
    EXPECT_EQ(request.payload.size(), v3::kFileHead2023Size);
    const Bytes cipher = peer.read_uncounted(load_le<uint32_t>(request.payload.data()));
    plain = side.open(cipher);
    side.answer_file(peer, id_, cipher);
    peer.expect(Request::checksum_right);
    peer.reply(Reply::acknowledged, {id_.view()}, v3::Dialect::of_2023);
  });
  settings_.piece_size = 4096;
  EXPECT_EQ(send(server.port(), {make_file("a", content)}).files[0].outcome, V3Outcome::confirmed);
  server.join();
  EXPECT_TRUE(plain == content);
}

// --- the end of a file ------------------------------------------------------------------------

class Acknowledgement : public V3Client, public ::testing::WithParamInterface<const char*> {};

TEST_P(Acknowledgement, of_any_shape_is_success) {
  ScriptedServer server([&](Peer& peer) {
    side_.register_client(peer, id_);
    side_.answer_file(peer, id_, peer.read_file());
    peer.expect(Request::checksum_right);
    peer.raw(*from_hex(GetParam()));
  });
  const auto report = send(server.port(), {make_file("a", "x")});
  EXPECT_EQ(report.files[0].outcome, V3Outcome::confirmed);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Acknowledgement,
                         ::testing::Values("03440600000000",  // empty
                                           "034406ff000000"   // 255 announced, 16 sent, closed
                                           "07070707070707070707070707070707",
                                           "03440610000000"));  // closed after the header

TEST_F(V3Client, that_is_never_acknowledged_reports_not_confirmed) {
  settings_.confirm_timeout = std::chrono::milliseconds(50);
  ScriptedServer server([&](Peer& peer) {
    side_.register_client(peer, id_);
    side_.answer_file(peer, id_, peer.read_file());
    peer.expect(Request::checksum_right);
    peer.wait_for_end();
  });
  const auto report = send(server.port(), {make_file("a", "x")});
  server.join();
  EXPECT_EQ(report.files[0].outcome, V3Outcome::not_confirmed);
  EXPECT_EQ(report.files[0].uploads, 1u);
}

TEST_F(V3Client, whose_server_closes_instead_of_acknowledging_reports_not_confirmed) {
  ScriptedServer server([&](Peer& peer) {
    side_.register_client(peer, id_);
    side_.answer_file(peer, id_, peer.read_file());
    peer.expect(Request::checksum_right);
  });
  EXPECT_EQ(send(server.port(), {make_file("a", "x")}).files[0].outcome, V3Outcome::not_confirmed);
}

TEST_F(V3Client, takes_a_1603_with_another_size_and_name) {
  ScriptedServer server([&](Peer& peer) {
    side_.register_client(peer, id_);
    v3::FileReply reply;
    reply.content_size = 1;
    reply.name = *v3::text_field("something else");
    reply.cksum = 1220704766;  // of "a"
    peer.read_file();
    peer.reply(Reply::file_received, {encode(reply)});
    peer.expect(Request::checksum_right);
    peer.reply(Reply::acknowledged);
  });
  EXPECT_EQ(send(server.port(), {make_file("n", "a")}).files[0].outcome, V3Outcome::confirmed);
}

// --- wrong checksums --------------------------------------------------------------------------

class WrongChecksum : public V3Client, public ::testing::WithParamInterface<bool> {};

TEST_P(WrongChecksum, is_resent_whether_1030_is_acknowledged_or_not) {
  ScriptedServer server([&](Peer& peer) {
    side_.register_client(peer, id_);
    side_.answer_file(peer, id_, peer.read_file(), 1);
    peer.expect(Request::checksum_retry);
    if (GetParam()) peer.reply(Reply::acknowledged, {id_.view()});
    side_.answer_file(peer, id_, peer.read_file());
    peer.expect(Request::checksum_right);
    peer.reply(Reply::acknowledged, {id_.view()});
  });
  const auto report = send(server.port(), {make_file("a", "x")});
  server.join();
  EXPECT_EQ(report.files[0].outcome, V3Outcome::confirmed);
  EXPECT_EQ(report.files[0].uploads, 2u);
  EXPECT_EQ(server.codes(), (Codes{1025, 1026, 1028, 1030, 1028, 1029}));
}

TEST_P(WrongChecksum, for_ever_ends_with_1031_after_three_resends) {
  ScriptedServer server([&](Peer& peer) {
    side_.register_client(peer, id_);
    for (int upload = 0; upload < 4; ++upload) {
      side_.answer_file(peer, id_, peer.read_file(), 1);
      const auto request = peer.read();
      EXPECT_EQ(request.kind(), upload < 3 ? Request::checksum_retry : Request::checksum_give_up);
      if (GetParam() || upload == 3) peer.reply(Reply::acknowledged, {id_.view()});
    }
  });
  const auto report = send(server.port(), {make_file("a", "x")});
  server.join();
  EXPECT_EQ(report.files[0].outcome, V3Outcome::refused);
  EXPECT_EQ(report.files[0].uploads, 4u);
  EXPECT_EQ(server.codes(), (Codes{1025, 1026, 1028, 1030, 1028, 1030, 1028, 1030, 1028, 1031}));
}

INSTANTIATE_TEST_SUITE_P(Acknowledged, WrongChecksum, ::testing::Bool());

TEST_F(V3Client, drops_a_late_acknowledgement_amid_the_packets_of_a_resend) {
  settings_.piece_size = 1024;
  ScriptedServer server([&](Peer& peer) {
    side_.register_client(peer, id_);
    side_.answer_file(peer, id_, peer.read_file(), 1);
    peer.expect(Request::checksum_retry);
    Bytes cipher;
    for (int packet = 0; packet < 4; ++packet) {
      const auto request = peer.expect(Request::send_file);
      const ByteView piece = ByteView(request.payload).subspan(v3::kFileHeadSize);
      cipher.insert(cipher.end(), piece.begin(), piece.end());
      if (packet == 1) peer.reply(Reply::acknowledged, {id_.view()});
    }
    side_.answer_file(peer, id_, cipher);
    peer.expect(Request::checksum_right);
    peer.reply(Reply::acknowledged, {id_.view()});
  });
  const auto report = send(server.port(), {make_file("a", some_bytes(4000))});
  EXPECT_EQ(report.files[0].outcome, V3Outcome::confirmed);
}

}  // namespace
}  // namespace cb::testing
