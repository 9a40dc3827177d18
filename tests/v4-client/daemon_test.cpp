// SPDX-License-Identifier: Apache-2.0
//
// A v4 session with the real daemon behind it: what the client makes of a server that refuses.
#include <gtest/gtest.h>

#include "core/client/v4_login.h"
#include "core/client/v4_session.h"
#include "core/stream/run_coroutine.h"
#include "tests/suites/transport_pair.h"
#include "tests/v4-client/scripted_peer.h"
#include "tests/v4/v4_server.h"

namespace cb::client {
namespace {

using repository::BlobId;
using testing::blob_of;

class ClientOfDaemon : public server::V4Server {
 protected:
  // A session of a newly enrolled owner.
  std::shared_ptr<V4Session> open() {
    enrolled("alice", owner_);
    auto session = V4Session::open(stack(), {"127.0.0.1", port(), ""}, owners_device());
    if (!session) throw std::runtime_error(session.error().text());
    return *session;
  }
  V4Identity owners_device() {
    V4Identity who;
    who.repository = owner_.record.id;
    who.root = owner_.record.root;
    who.device = owner_.device;
    who.sign = [this](ByteView message) { return owner_.key.sign(message); };
    return who;
  }
  stream::Stack stack() {
    auto made = stream::Stack::make({test::make("transport-tls", {{"pin", "[\"" + pin_ + "\"]"}}),
                                     test::make("transport-tcp")});
    if (!made) throw std::runtime_error(made.error().text());
    return *made;
  }

  server::V4Owner owner_ = server::V4Owner::make();
};

TEST_F(ClientOfDaemon, logs_in_again_over_a_tls_session_that_is_resumed) {
  start();
  enrolled("alice", owner_);
  const stream::Stack over = stack();
  const V4Identity who = owners_device();
  const stream::Target server{"127.0.0.1", port(), ""};
  const V4Limits limits;
  boost::asio::io_context context(1);
  std::vector<bool> resumed;
  for (int i = 0; i < 3; ++i) {
    auto in = stream::test::run(context, log_in(over, server, who, limits));
    ASSERT_TRUE(in) << in.error().text();
    const auto told = in->wire->connection().stream().info(CB_INFO_RESUMED);
    ASSERT_TRUE(told) << told.error().text();
    resumed.push_back(told->front() != std::byte{0});
    stream::test::run(context, leave(std::move(in->wire)));
  }
  EXPECT_EQ(resumed, (std::vector{false, true, true}));
}

TEST_F(ClientOfDaemon, a_full_store_ends_a_stream_of_blobs_and_nothing_else) {
  start({"limits.reserve=1000000GiB"});
  const auto session = open();
  const server::V4Blobs keys;
  ASSERT_TRUE(session->put(keys.all[0]));
  // More than the credit and all socket buffers hold together.
  Status put;
  uint32_t sent = 0;
  for (; put && sent < 200; ++sent) {
    repository::StoredBlob blob = blob_of(300'000, sent);
    blob.head.session = keys.session;
    const auto number = session->put(std::move(blob));
    if (!number) put = failed(number.error());
  }
  ASSERT_FALSE(put) << "60 MB were taken";
  EXPECT_EQ(put.error().code, Code::no_space) << put.error().text();
  EXPECT_EQ(session->flush().error().code, Code::no_space);
  EXPECT_EQ(session->commit({}).error().code, Code::no_space);
  EXPECT_EQ(session->durable_puts(), 0U);
  // The same connection still answers.
  const auto have = session->have(std::vector<BlobId>{blob_of(10, 1).head.id});
  ASSERT_TRUE(have) << have.error().text();
  EXPECT_FALSE(have->front());
  EXPECT_TRUE(session->counts());
  EXPECT_EQ(daemon_->session_count(), 1U);
}

TEST_F(ClientOfDaemon, signatures_are_told_the_newest_first_and_given) {
  start();
  const auto session = open();
  EXPECT_TRUE(session->signatures(0)->last);
  std::vector<BlobId> put;
  for (uint32_t i = 0; i < 5000; ++i) {
    repository::StoredBlob blob = blob_of(20, i);
    blob.head.kind = repository::BlobKind::signature;
    blob.head.session = {};
    blob.head.children = {blob_of(20, 1'000'000 + i).head.id};
    put.push_back(blob.head.id);
    ASSERT_TRUE(session->put(std::move(blob)));
  }
  ASSERT_TRUE(session->flush());
  std::reverse(put.begin(), put.end());
  std::vector<BlobId> told;
  repository::SignaturePage page;
  do {
    auto next = session->signatures(page.next);
    ASSERT_TRUE(next) << next.error().text();
    page = std::move(*next);
    told.insert(told.end(), page.ids.begin(), page.ids.end());
  } while (!page.last);
  EXPECT_EQ(told, put);
  size_t came = 0;
  ASSERT_TRUE(session->get(std::span(told).first(10), [&](repository::StoredBlob blob) -> Status {
    came += blob.head.kind == repository::BlobKind::signature ? 1 : 0;
    return {};
  }));
  EXPECT_EQ(came, 10U);
}

TEST_F(ClientOfDaemon, the_reason_of_an_end_arrives_while_the_client_sends_at_full_speed) {
  start();
  const auto session = open();
  // Names a session whose record was never put: a broken rule.
  Status put;
  for (uint32_t i = 0; put && i < 200; ++i) {
    repository::StoredBlob blob = blob_of(300'000, i);
    blob.head.session.bytes.fill(std::byte{9});
    const auto number = session->put(std::move(blob));
    if (!number) put = failed(number.error());
  }
  ASSERT_FALSE(put) << "60 MB were taken";
  EXPECT_EQ(put.error().code, Code::invalid) << put.error().text();
  EXPECT_EQ(session->flush().error().code, Code::invalid);
}

}  // namespace
}  // namespace cb::client
