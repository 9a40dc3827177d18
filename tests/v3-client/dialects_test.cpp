// SPDX-License-Identifier: Apache-2.0
//
// The client against servers that behave as the known implementations do (legacy-protocol 9 and
// 10), and as no server should.
#include <fcntl.h>

#include <numeric>
#include <random>

#include "tests/v3-client/bench.h"

namespace cb::testing {
namespace {

using client::V3Outcome;
using v3::Reply;
using v3::Request;
using Codes = std::vector<uint16_t>;

class V3Client : public Bench {
 protected:
  const ClientId id_ = id_of(7);
  ServerSide side_{suites().sha256};
};

std::string some_bytes(size_t size) {
  std::mt19937 draw(static_cast<unsigned>(size));
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(draw());
  return bytes;
}

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

// --- logins that are refused ------------------------------------------------------------------

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

// --- errors and repeats -----------------------------------------------------------------------

TEST_F(V3Client, repeats_each_request_that_is_answered_by_1607_three_times) {
  ScriptedServer server([&](Peer& peer) {
    for (int i = 0; i < 3; ++i) {
      peer.expect(Request::sign_up);
      peer.reply(Reply::error);
    }
    side_.register_client(peer, id_);
    for (int i = 0; i < 3; ++i) {
      peer.read_file();
      peer.reply(Reply::error);
    }
    side_.answer_file(peer, id_, peer.read_file());
    for (int i = 0; i < 3; ++i) {
      peer.expect(Request::checksum_right);
      peer.reply(Reply::error);
    }
    peer.expect(Request::checksum_right);
    peer.reply(Reply::acknowledged, {id_.view()});
  });
  const auto report = send(server.port(), {make_file("a", "x")});
  server.join();
  EXPECT_EQ(report.files[0].outcome, V3Outcome::confirmed);
  EXPECT_EQ(server.codes(),
            (Codes{1025, 1025, 1025, 1025, 1026, 1028, 1028, 1028, 1028, 1029, 1029, 1029, 1029}));
}

TEST_F(V3Client, gives_a_file_up_after_the_fourth_1607) {
  ScriptedServer server([&](Peer& peer) {
    side_.register_client(peer, id_);
    for (int i = 0; i < 4; ++i) {
      peer.read_file();
      peer.reply(Reply::error);
    }
    peer.wait_for_end();
  });
  const auto report = send(server.port(), {make_file("a", "x")});
  EXPECT_EQ(report.files[0].outcome, V3Outcome::refused);
  EXPECT_EQ(report.files[0].uploads, 4u);
}

TEST_F(V3Client, stops_sending_packets_when_one_is_refused_and_begins_anew) {
  settings_.piece_size = 65536;
  std::string plain;
  ScriptedServer server([&](Peer& peer) {
    if (peer.index() == 0) {
      side_.register_client(peer, id_);
      peer.expect(Request::send_file);
      peer.reply(Reply::error);
      return peer.wait_for_end();
    }
    side_.reconnect(peer, id_);
    const Bytes cipher = peer.read_file();
    plain = side_.open(cipher);
    side_.answer_file(peer, id_, cipher);
    peer.expect(Request::checksum_right);
    peer.reply(Reply::acknowledged, {id_.view()});
  });
  const std::string content = some_bytes(1 << 20);
  const auto report = send(server.port(), {make_file("a", content)});
  server.join();
  EXPECT_EQ(report.files[0].outcome, V3Outcome::confirmed);
  EXPECT_TRUE(plain == content);
}

TEST_F(V3Client, sends_a_file_again_when_the_connection_breaks) {
  ScriptedServer server([&](Peer& peer) {
    if (peer.index() == 0) {
      side_.register_client(peer, id_);
      peer.expect(Request::send_file);
      return;
    }
    side_.reconnect(peer, id_);
    side_.answer_file(peer, id_, peer.read_file());
    peer.expect(Request::checksum_right);
    peer.reply(Reply::acknowledged, {id_.view()});
  });
  const auto report = send(server.port(), {make_file("a", "x")});
  EXPECT_EQ(report.files[0].outcome, V3Outcome::confirmed);
  EXPECT_EQ(report.files[0].uploads, 2u);
}

TEST_F(V3Client, connects_anew_for_each_file_when_the_server_wants_it_so) {
  ScriptedServer server([&](Peer& peer) {
    if (peer.index() == 0)
      side_.register_client(peer, id_);
    else
      side_.reconnect(peer, id_);
    side_.answer_file(peer, id_, peer.read_file());
    peer.expect(Request::checksum_right);
    peer.reply(Reply::acknowledged, {id_.view()});
  });
  std::vector<std::filesystem::path> files;
  for (int i = 0; i < 6; ++i) files.push_back(make_file("f" + std::to_string(i), "x"));
  const auto report = send(server.port(), files);
  for (const auto& file : report.files) EXPECT_EQ(file.outcome, V3Outcome::confirmed) << file.file;
}

// --- servers that are none --------------------------------------------------------------------

TEST_F(V3Client, cannot_reach_a_port_where_nobody_listens_and_stops_trying) {
  const auto report = send(refused_port(), {make_file("a", "x"), make_file("b", "y")});
  ASSERT_EQ(report.files.size(), 2u);
  for (const auto& file : report.files) EXPECT_EQ(file.outcome, V3Outcome::unreachable);
  EXPECT_EQ(notes_.size(), settings_.breaker.failures - 1);  // the second file tried nothing
}

TEST_F(V3Client, that_gets_no_answer_to_its_login_cannot_reach_the_server) {
  settings_.reach_timeout = std::chrono::milliseconds(60);
  ScriptedServer server([&](Peer& peer) { peer.wait_for_end(); });
  const auto report = send(server.port(), {make_file("a", "x")});
  EXPECT_EQ(report.files[0].outcome, V3Outcome::unreachable);
}

TEST_F(V3Client, says_that_a_web_server_is_no_v3_server) {
  ScriptedServer server([&](Peer& peer) {
    peer.raw(as_bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
    peer.wait_for_end();
  });
  const auto report = send(server.port(), {make_file("a", "x")});
  EXPECT_EQ(report.files[0].outcome, V3Outcome::unreachable);
  EXPECT_EQ(report.files[0].error->code, Code::corrupt);
}

TEST_F(V3Client, does_not_wait_for_ever_for_a_server_that_stops_reading) {
  settings_.write_timeout = std::chrono::milliseconds(50);
  settings_.max_tries = 1;
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  ScriptedServer server([&](Peer& peer) {
    side_.register_client(peer, id_);
    char byte = 0;
    EXPECT_EQ(read(pipe_ends[0], &byte, 1), 1);  // reads nothing until the client is done
  });
  const auto report = send(server.port(), {make_file("a", some_bytes(16 << 20))});
  EXPECT_EQ(write(pipe_ends[1], "x", 1), 1);
  server.join();
  EXPECT_EQ(report.files[0].outcome, V3Outcome::failed);
  EXPECT_EQ(report.files[0].error->code, Code::timeout);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

// --- files that cannot be sent ----------------------------------------------------------------

TEST_F(V3Client, reports_what_cannot_be_read_and_sends_the_rest) {
  ScriptedServer server([&](Peer& peer) {
    side_.register_client(peer, id_);
    side_.answer_file(peer, id_, peer.read_file());
    peer.expect(Request::checksum_right);
    peer.reply(Reply::acknowledged, {id_.view()});
  });
  const auto report = send(server.port(), {folder_ / "missing", folder_, make_file("a", "x")});
  EXPECT_EQ(report.files[0].outcome, V3Outcome::unreadable);
  EXPECT_EQ(report.files[0].error->code, Code::not_found);
  EXPECT_EQ(report.files[1].outcome, V3Outcome::unreadable);
  EXPECT_EQ(report.files[2].outcome, V3Outcome::confirmed);
}

TEST_F(V3Client, refuses_files_that_the_protocol_cannot_express) {
  const auto huge = make_file("huge", "");
  std::filesystem::resize_file(huge, 0x100000000);  // sparse
  const auto many = make_file("many", "");
  std::filesystem::resize_file(many, 70'000'000);
  settings_.piece_size = 1024;
  const auto report = send(refused_port(), {huge, many});
  for (const auto& file : report.files) {
    EXPECT_EQ(file.outcome, V3Outcome::unreadable);
    EXPECT_EQ(file.error->code, Code::limit);
  }
  EXPECT_TRUE(notes_.empty());  // nobody was called for that
}

class ChangingFile : public V3Client, public ::testing::WithParamInterface<size_t> {};

TEST_P(ChangingFile, is_an_error_that_says_so) {
  settings_.piece_size = 65536;
  const auto file = make_file("a", some_bytes(1 << 20));
  ScriptedServer server([&](Peer& peer) {
    peer.expect(Request::sign_up);
    std::filesystem::resize_file(file, GetParam());
    peer.reply(Reply::signed_up, {id_.view()});
    side_.exchange_keys(peer, id_);
    peer.wait_for_end();
  });
  const auto report = send(server.port(), {file});
  EXPECT_EQ(report.files[0].outcome, V3Outcome::unreadable);
  EXPECT_EQ(report.files[0].error->code, Code::state);
  EXPECT_NE(report.files[0].error->cause.find("while it was read"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Shorter, ChangingFile, ::testing::Values(1000));
INSTANTIATE_TEST_SUITE_P(Longer, ChangingFile, ::testing::Values((1 << 20) + 1));

TEST_F(V3Client, that_is_stopped_reports_it_at_once) {
  ScriptedServer server([&](Peer& peer) {
    side_.register_client(peer, id_);
    peer.expect(Request::send_file);
    running_.load()->stop();
    peer.wait_for_end();
  });
  const auto report = send(server.port(), {make_file("a", "x")});
  EXPECT_TRUE(report.interrupted);
}

TEST(DistinctNames, are_wanted_because_old_servers_keep_one_file_of_a_name) {
  EXPECT_TRUE(client::check_distinct_names({"a/x", "a/y"}));
  EXPECT_FALSE(client::check_distinct_names({"a/x", "b/x"}));
}

}  // namespace
}  // namespace cb::testing
