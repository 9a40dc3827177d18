// SPDX-License-Identifier: Apache-2.0
//
// Getting a session in the face of trouble: what is tried again, what is not, and when it ends.
#include <gtest/gtest.h>

#include <atomic>

#include "core/client/v4_dialler.h"
#include "tests/v4-client/scripted_peer.h"

namespace cb::client {
namespace {

using std::chrono::milliseconds;
using testing::ScriptedPeer;
using testing::V4Peer;

class DiallerTest : public ::testing::Test {
 protected:
  std::unique_ptr<V4Dialler> dialler(const ScriptedPeer& peer, std::vector<stream::Target> servers,
                                     milliseconds give_up = std::chrono::seconds(30)) {
    V4DialSettings settings;
    settings.give_up = give_up;
    settings.backoff = {milliseconds(1), milliseconds(4)};
    return std::make_unique<V4Dialler>(V4Dialler::Parts{peer.stack(),
                                                        {std::move(servers), account_.identity()},
                                                        &os::system_clock(),
                                                        &os::system_random(),
                                                        [this](const std::string&) { ++notes_; }},
                                       settings);
  }
  // A port on which nobody listens any more.
  static stream::Target nobody() {
    test::Ends ends{test::make("transport-tcp"), {}, {}};
    return {"127.0.0.1", ends.listen().port(), ""};
  }

  testing::Account account_;
  std::atomic<int> notes_{0};
};

TEST_F(DiallerTest, a_server_that_hangs_up_at_first_is_tried_again) {
  const ScriptedPeer peer(account_, [](V4Peer& one) {
    if (one.index() < 3) return;
    one.greet();
    one.wait_for_end();
  });
  const auto session = dialler(peer, {peer.target()})->reach();
  ASSERT_TRUE(session) << session.error().text();
  EXPECT_EQ(notes_, 3);
}

TEST_F(DiallerTest, the_next_server_is_tried_when_one_is_down) {
  const ScriptedPeer peer(account_, [](V4Peer& one) {
    one.greet();
    one.wait_for_end();
  });
  const auto session = dialler(peer, {nobody(), peer.target()})->reach();
  ASSERT_TRUE(session) << session.error().text();
  EXPECT_EQ(notes_, 0);
}

TEST_F(DiallerTest, gives_up_in_time) {
  const ScriptedPeer peer(account_, [](V4Peer&) {});
  const auto session = dialler(peer, {nobody()}, milliseconds(100))->reach();
  ASSERT_FALSE(session);
  EXPECT_GT(notes_, 1);
}

TEST_F(DiallerTest, what_will_not_pass_by_itself_ends_at_once) {
  ScriptedPeer peer(account_, [](V4Peer& one) {
    const auto hello = one.expect(v4::Request::hello);
    one.send(v4::Response::failure, hello.id,
             v4::failure_of(fail(Code::denied, "device", "was revoked"), true));
  });
  const auto session = dialler(peer, {peer.target()})->reach();
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::denied);
  peer.join();
  EXPECT_EQ(peer.connections(), 1u);
  EXPECT_EQ(notes_, 0);
}

TEST_F(DiallerTest, cancelling_ends_the_tries) {
  const ScriptedPeer peer(account_, [](V4Peer&) {});
  const auto tries = dialler(peer, {peer.target()});
  std::thread other([&] {
    while (notes_ == 0) std::this_thread::yield();
    tries->cancel();
  });
  const auto session = tries->reach();
  other.join();
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::cancelled);
}

TEST(Server, is_written_as_host_and_port) {
  EXPECT_EQ(parse_server("backup.example:1257")->host, "backup.example");
  EXPECT_EQ(parse_server("backup.example:1257")->port, 1257);
  EXPECT_EQ(parse_server("[::1]:80")->host, "::1");
  for (const char* wrong :
       {"", ":1", "host", "host:", "host:0", "host:65536", "host:1x", "::1:80", "[]:80"})
    EXPECT_FALSE(parse_server(wrong)) << wrong;
}

}  // namespace
}  // namespace cb::client
