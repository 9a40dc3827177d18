// SPDX-License-Identifier: Apache-2.0
//
// Peers that break the rules of protocol v4: each is told so, and ended, and nobody else notices.
#include <gmock/gmock.h>

#include <random>

#include "core/os/process.h"
#include "core/protocol/v4/privileges.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using testing::HasSubstr;
using v4::Request;
using v4::Response;

class V4Hostile : public V4Server {
 protected:
  // The session ends, with a fatal failure that says so.
  static void expect_end(V4Peer& peer, const std::string& why) {
    const auto last = peer.answer();
    ASSERT_TRUE(last) << "ended without a word: " << why;
    EXPECT_EQ(last->code, Response::failure);
    EXPECT_THAT(last->failure(), HasSubstr(why));
    EXPECT_TRUE(last->as<v4::pb::Failure>().fatal());
    EXPECT_TRUE(peer.ended());
  }
  // A header with a payload size of its own making.
  static Bytes header(uint8_t version, uint16_t code, uint32_t size) {
    const auto raw = protocol::encode(protocol::RequestHeader{{}, version, code, size});
    return {raw.begin(), raw.end()};
  }
  static Bytes head(uint32_t id, uint32_t message_size) {
    Bytes raw(8);
    store_le<uint32_t>(&raw[0], id);
    store_le<uint32_t>(&raw[4], message_size);
    return raw;
  }
  void expect_alive(const V4Owner& owner) {
    auto peer = member(owner);
    peer->request(Request::counts, 5);
    EXPECT_EQ(peer->answer()->code, Response::counts);
  }
};

TEST_F(V4Hostile, every_request_but_hello_before_the_login_ends_the_connection) {
  start();
  for (const v4::RequestPrivilege& entry : v4::kPrivileges) {
    SCOPED_TRACE(static_cast<int>(entry.request));
    if (entry.request != Request::hello) {
      auto fresh = peer();
      fresh->request(entry.request, 1);
      expect_end(*fresh, "came before the login");
    }
    if (entry.privilege == v4::Privilege::stranger) continue;
    auto greeted = peer();
    ASSERT_TRUE(greeted->hello());
    greeted->request(entry.request, 2);
    expect_end(*greeted,
               entry.request == Request::hello ? "second hello" : "came before the login");
  }
}

TEST_F(V4Hostile, what_a_stranger_may_ask_for_ends_the_connection_when_it_makes_no_sense) {
  start();
  for (const v4::RequestPrivilege& entry : v4::kPrivileges) {
    if (entry.privilege != v4::Privilege::stranger) continue;
    SCOPED_TRACE(static_cast<int>(entry.request));
    auto greeted = peer();
    ASSERT_TRUE(greeted->hello());
    greeted->request(entry.request, 2, V4Peer::usual_hello());
    expect_end(*greeted, "");
  }
}

TEST_F(V4Hostile, a_second_hello_or_login_ends_the_session) {
  start();
  V4Owner owner = V4Owner::make();
  auto one = enrolled("alice", owner);
  one->request(Request::hello, 5, V4Peer::usual_hello());
  expect_end(*one, "second hello");
  auto two = member(owner);
  two->request(Request::login, 5);
  expect_end(*two, "not due");
}

TEST_F(V4Hostile, headers_that_no_request_has_end_the_session) {
  start();
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  const auto expect_refused = [&](const Bytes& bytes, const std::string& why) {
    SCOPED_TRACE(why);
    auto peer = member(owner);
    peer->send(bytes);
    expect_end(*peer, why);
  };
  const auto join = [](Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  expect_refused(header(3, 2060, 8), "protocol version 3");
  expect_refused(header(4, 1999, 8), "unknown code 1999");
  expect_refused(header(4, 0, 8), "unknown code 0");
  expect_refused(header(4, 2060, 7), "payload of 7 bytes");
  expect_refused(header(4, 2060, v4::kFrameMax + 1), "payload of 262145 bytes");
  expect_refused(header(4, 2060, UINT32_MAX), "payload of 4294967295 bytes");
  expect_refused(join(header(4, 2060, 8), head(0, 0)), "request id 0");
  expect_refused(join(header(4, 2060, 8), head(1, 1)), "message of 1 bytes");
  expect_refused(join(header(4, 2060, 8), head(1, UINT32_MAX)), "message of 4294967295 bytes");
  expect_refused(join(header(4, 2060, 200'000), head(1, 199'992)), "at most 1024");
  expect_refused(join(header(4, 2020, 200'000), head(1, 199'992)), "at most 132096");
  expect_refused(join(header(4, 2060, 100), head(1, 0)), "has bulk");
  expect_refused(join(header(4, 2022, 100), head(1, 92)), "at most 0");
  expect_alive(owner);
}

TEST_F(V4Hostile, blobs_out_of_order_end_the_session) {
  start();
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  const V4Blobs blobs(700'000);
  const auto& data = blobs.all[1].head;
  const ByteView bytes = blobs.all[1].stored;
  const Bytes message = v4::encode(v4::put_of(data));
  const size_t full = v4::bulk_in_frame(message.size(), bytes.size());
  const auto begun = [&] {
    auto peer = member(owner);
    peer->put(1, blobs.all[0].head, blobs.all[0].stored);
    peer->request(Request::put, 2, message, bytes.first(full));
    return peer;
  };
  auto peer = member(owner);
  peer->request(Request::put_more, 1, {}, bytes.first(100));
  expect_end(*peer, "was not begun");
  peer = begun();
  peer->request(Request::put_more, 3, {}, bytes.first(full));
  expect_end(*peer, "was not begun");
  peer = begun();
  peer->request(Request::put, 3, message, bytes.first(full));
  expect_end(*peer, "in the middle of a blob");
  peer = begun();
  peer->request(Request::counts, 3);
  expect_end(*peer, "in the middle of a blob");
  peer = begun();
  peer->request(Request::put_more, 2, {}, bytes.first(10));
  expect_end(*peer, "has 10 bytes in a further frame");
  peer = member(owner);
  peer->request(Request::put, 2, message, bytes.first(full - 1));
  expect_end(*peer, "in its first frame");
  peer = member(owner);
  peer->request(Request::put, 2, message);
  expect_end(*peer, "in its first frame");
  expect_alive(owner);
}

TEST_F(V4Hostile, impossible_heads_end_the_session) {
  start();
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  const auto expect_refused = [&](const std::function<void(v4::pb::Put&)>& spoil) {
    const V4Blobs blobs;
    auto peer = member(owner);
    peer->put(1, blobs.all[0].head, blobs.all[0].stored);
    v4::pb::Put put = v4::put_of(blobs.all[1].head);
    spoil(put);
    const Bytes message = v4::encode(put);
    const size_t size = v4::bulk_in_frame(message.size(), put.stored_size());
    peer->request(Request::put, 2, message, random_bytes(size));
    expect_end(*peer, "");
  };
  expect_refused([](v4::pb::Put& put) { put.set_kind(9); });
  expect_refused([](v4::pb::Put& put) { put.set_stored_size(0); });
  expect_refused([](v4::pb::Put& put) { put.set_stored_size(UINT32_MAX); });
  expect_refused([](v4::pb::Put& put) { put.set_stored_size(repository::kMaxStored + 1); });
  expect_refused([](v4::pb::Put& put) { put.set_id("x"); });
  expect_refused([](v4::pb::Put& put) { put.set_children("xyz"); });
  expect_refused([](v4::pb::Put& put) { put.set_session(std::string(16, 'u')); });
  expect_alive(owner);
}

TEST_F(V4Hostile, messages_that_are_none_end_the_session) {
  start();
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  const Bytes garbage = to_bytes(as_bytes("\x0a\xff\xff\xff\xff\x0f garbage"));
  for (const auto& [request, privilege] : v4::kPrivileges) {
    // These have nothing in their messages that would be read.
    if (request == Request::slots || request == Request::counts || request == Request::flush ||
        request == Request::devices || request == Request::put_more ||
        request == Request::heartbeat || request == Request::retention)
      continue;
    // These come before the login.
    if (!v4::has_privilege(v4::Standing::owner, privilege)) continue;
    SCOPED_TRACE(static_cast<int>(request));
    auto peer = member(owner);
    peer->request(request, 3, garbage);
    expect_end(*peer, "is not a");
  }
  auto peer = member(owner);
  v4::pb::Have have;
  have.set_ids(std::string(32 * (v4::kIdsMax + 1), 'i'));
  peer->request(Request::have, 3, have);
  expect_end(*peer, "at most 4096");
  expect_alive(owner);
}

TEST_F(V4Hostile, fields_that_nobody_knows_are_passed_over_and_groups_without_end_are_refused) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  v4::pb::Have have;
  have.set_ids(std::string(32, 'i'));
  Bytes message = v4::encode(have);
  const Bytes unknown = to_bytes(as_bytes("\x9a\x06\x03xyz"));  // field 99
  message.insert(message.end(), unknown.begin(), unknown.end());
  peer->request(Request::have, 3, message);
  const auto answer = peer->answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, Response::have) << answer->failure();
  peer->request(Request::have, 4, Bytes(100'000, std::byte{0x0b}));  // each begins a group
  expect_end(*peer, "is not a");
  expect_alive(owner);
}

TEST_F(V4Hostile, random_frames_cost_neither_memory_nor_the_daemon) {
  start();
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  constexpr uint32_t kSeed = 4711;
  std::mt19937 random(kSeed);
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  const auto number = [&](uint32_t below) { return static_cast<uint32_t>(random() % below); };
  const uint64_t before = os::resident_bytes();
  for (int round = 0; round < 200; ++round) {
    auto peer = number(2) == 0 ? this->peer() : member(owner);
    if (number(2) == 0) (void)peer->hello();
    for (int i = 0; i < 5; ++i) {
      const auto code = static_cast<uint16_t>(2000 + number(100));
      const uint32_t size = number(3) == 0 ? number(300'000) : number(200);
      Bytes bytes = header(4, code, size + (number(10) == 0 ? number(1000) : 0));
      const Bytes part = head(number(4), number(2) == 0 ? number(300) : size - std::min(size, 8U));
      bytes.insert(bytes.end(), part.begin(), part.end());
      const Bytes rest = random_bytes(size);
      bytes.insert(bytes.end(), rest.begin(), rest.end());
      if (!peer->send(bytes)) break;
    }
  }
  wait_until_idle();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr uint64_t kAllowed = 1024 * kMiB;  // the sanitizers keep freed memory for a while
#else
  constexpr uint64_t kAllowed = 32 * kMiB;
#endif
  EXPECT_LT(os::resident_bytes(), before + kAllowed);
  expect_alive(owner);
}

TEST_F(V4Hostile, half_a_header_and_silence_is_ended_before_and_after_the_login) {
  start({"v4.login_timeout=300ms", "v4.request_timeout=300ms"});
  V4Owner owner = V4Owner::make();
  auto inside = enrolled("alice", owner);
  auto outside = peer();
  const Bytes half = random_bytes(10);
  outside->send(half);
  EXPECT_TRUE(outside->ended());
  inside->send(header(4, 2020, 10'000));
  EXPECT_TRUE(inside->ended());
  expect_alive(owner);
}

TEST_F(V4Hostile, both_versions_live_on_one_listener_and_are_told_apart) {
  change_config("versions = [4]", "versions = [3, 4]");
  start();
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  expect_alive(owner);
  auto old = peer();
  Bytes sign_up = header(3, 1025, 255);
  sign_up.resize(sign_up.size() + 255);
  sign_up[protocol::kRequestHeaderSize] = std::byte{'b'};
  ASSERT_TRUE(old->send(sign_up));
  // The answer of protocol 3, 1600 with an id, is none of this peer's protocol.
  EXPECT_THROW((void)old->frame(), std::runtime_error);
  EXPECT_TRUE(log_.contains("v3.client.registered"));
}

TEST_F(V4Hostile, a_listener_of_version_4_alone_refuses_version_3) {
  start();
  auto old = peer();
  old->send(header(3, 1025, 255));
  expect_end(*old, "protocol version 3");
}

}  // namespace
}  // namespace cb::server
