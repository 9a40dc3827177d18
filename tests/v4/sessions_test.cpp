// SPDX-License-Identifier: Apache-2.0
//
// Many small connections: log-ins that resume TLS, sessions that idle, and who never logs in.
#include <gmock/gmock.h>

#include <thread>

#include "core/server/stopped_clock.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using v4::Request;
using v4::Response;

class V4Sessions : public V4Server {
 protected:
  report::Json buffers() { return (*admin({{"command", "status"}}))["buffers"]; }

  V4Owner owner_ = V4Owner::make();
};

TEST_F(V4Sessions, a_second_connection_resumes_tls_and_its_login_is_signed_for_its_own_channel) {
  start();
  auto peer = enrolled("alice", owner_);
  EXPECT_FALSE(peer->is_resumed());
  ASSERT_TRUE(peer->again());
  EXPECT_TRUE(peer->is_resumed());
  ASSERT_TRUE(peer->hello());
  v4::pb::Login login;
  login.set_device(v4::field_of(owner_.device.view()));
  login.set_signature(v4::field_of(owner_.key.sign(peer->statement(owner_.device)).value()));
  // What was signed for one channel is good for no other, though both are of one TLS session.
  ASSERT_TRUE(peer->again());
  EXPECT_TRUE(peer->is_resumed());
  ASSERT_TRUE(peer->hello());
  EXPECT_THAT(ask(*peer, Request::login, login).failure(), HasSubstr("did not prove who it is"));
  ASSERT_TRUE(peer->again());
  const auto answer = peer->login(owner_);
  EXPECT_TRUE(peer->is_resumed());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, Response::login) << answer->failure();
}

TEST_F(V4Sessions, a_disabled_device_that_resumes_tls_is_refused_at_once) {
  start();
  auto peer = enrolled("alice", owner_);
  ASSERT_TRUE(peer->again());
  ASSERT_EQ(peer->login(owner_)->code, Response::login);
  ASSERT_TRUE(admin({{"command", "device.disable"}, {"device", owner_.device.hex()}}));
  EXPECT_TRUE(peer->ended());
  ASSERT_TRUE(peer->again());
  ASSERT_TRUE(peer->is_resumed());
  EXPECT_THAT(peer->login(owner_)->failure(), HasSubstr("is disabled or revoked"));
  ASSERT_TRUE(admin({{"command", "device.enable"}, {"device", owner_.device.hex()}}));
  ASSERT_TRUE(peer->again());
  EXPECT_EQ(peer->login(owner_)->code, Response::login);
}

TEST_F(V4Sessions, an_idle_session_holds_no_buffer_of_the_pool) {
  start();
  auto peer = enrolled("alice", owner_);
  const V4Blobs blobs(300'000, 3);
  for (uint32_t i = 0; i < blobs.all.size(); ++i)
    ASSERT_TRUE(peer->put(100 + i, blobs.all[i].head, blobs.all[i].stored));
  ASSERT_EQ(ask(*peer, Request::commit, blobs.commit(owner_)).code, Response::commit);
  v4::pb::Get get;
  get.set_ids(v4::join_ids(std::vector{blobs.snapshot}));
  peer->request(Request::get, 99, get);
  while (peer->answer()->code != Response::get_end) continue;
  // What serves the next request has let go of all that served those before.
  EXPECT_EQ(ask(*peer, Request::heartbeat, v4::pb::Heartbeat()).code, Response::heartbeat);
  EXPECT_GT(buffers()["most_taken"], 0);
  EXPECT_EQ(buffers()["taken"], 0);
}

TEST_F(V4Sessions, who_has_not_logged_in_in_time_is_not_listened_to_any_more) {
  StoppedClock clock;
  seams_.clock = &clock;
  start();
  enrolled("alice", owner_);
  wait_until_idle();
  auto silent = peer();
  auto greeted = peer();
  ASSERT_TRUE(greeted->hello());
  auto trickling = peer();
  ASSERT_TRUE(trickling->hello());
  const Bytes login = v4::request_front({}, Request::login, 7, Bytes(80), 0);
  ASSERT_TRUE(trickling->send(ByteView(login).first(40)));
  auto member = this->member(owner_);
  while (daemon_->status()["v4"]["sessions"] != 4) std::this_thread::yield();
  clock.forward(seconds(31));
  // A part of a request, or a whole one: it came too late.
  silent->request(Request::hello, 1, V4Peer::usual_hello());
  greeted->login(owner_);
  trickling->send(ByteView(login).subspan(40, 1));
  EXPECT_TRUE(silent->ended());
  EXPECT_TRUE(greeted->ended());
  EXPECT_TRUE(trickling->ended());
  EXPECT_EQ(ask(*member, Request::heartbeat, v4::pb::Heartbeat()).code, Response::heartbeat);
  member->cut();
  wait_until_idle();
  daemon_.reset();  // before the clock
}

TEST_F(V4Sessions, where_both_protocols_are_served_the_first_header_must_come_in_time) {
  change_config("versions = [4]", "versions = [3, 4]");
  start({"v4.login_timeout=100ms"});
  auto trickling = peer();
  const Bytes hello = v4::request_front({}, Request::hello, 1, {}, 0);
  size_t sent = 0;
  while (daemon_->session_count() == 0) std::this_thread::yield();
  while (daemon_->session_count() != 0 && sent + 1 < protocol::kRequestHeaderSize) {
    trickling->send(ByteView(hello).subspan(sent++, 1));
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_LT(sent + 1, protocol::kRequestHeaderSize) << "each byte was given the whole time";
  EXPECT_TRUE(trickling->ended());
}

}  // namespace
}  // namespace cb::server
