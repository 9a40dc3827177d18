// SPDX-License-Identifier: Apache-2.0
//
// Servers that refuse, break off or are none, and files that cannot be sent.
#include <fcntl.h>

#include <numeric>

#include "tests/v3-client/v3_client_fixture.h"

namespace cb::testing {
namespace {

using client::V3Outcome;
using v3::Reply;
using v3::Request;
using Codes = std::vector<uint16_t>;

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
