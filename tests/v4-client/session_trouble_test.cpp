// SPDX-License-Identifier: Apache-2.0
//
// A v4 session whose server goes away, refuses, keeps silent or lies: every call ends, with the
// right error.
#include <gtest/gtest.h>

#include <future>

#include "tests/v4-client/scripted_peer.h"

namespace cb::client {
namespace {

using repository::BlobId;
using repository::StoredBlob;
using testing::blob_of;
using testing::V4Peer;

class TroubleTest : public ::testing::Test {
 protected:
  // A session whose server does `script` after the login.
  std::shared_ptr<V4Session> open(testing::ScriptedPeer::Script script,
                                  const V4Limits& limits = {}) {
    peer_.emplace(account_, [this, script = std::move(script)](V4Peer& peer) {
      peer.reply.set_heartbeat_seconds(heartbeat_seconds_);
      peer.greet();
      script(peer);
    });
    auto session = V4Session::open(peer_->stack(), peer_->target(), account_.identity(), limits);
    if (!session) ADD_FAILURE() << session.error().text();
    return session ? *session : nullptr;
  }

  static Code code_of(const Status& status) {
    return status ? Code::internal : status.error().code;
  }

  uint32_t heartbeat_seconds_ = 60;
  testing::Account account_;
  std::optional<testing::ScriptedPeer> peer_;
};

TEST_F(TroubleTest, a_cut_connection_ends_all_that_waits) {
  // Waits for a request of each kind, and hangs up.
  const auto session = open([](V4Peer& peer) {
    size_t gets = 0, flushes = 0;
    uint64_t bulk = 0;
    while (gets == 0 || flushes == 0 || bulk < (4 << 20) - v4::kFrameMax) {
      const testing::PeerRequest request = peer.read();
      gets += request.code == v4::Request::get ? 1 : 0;
      flushes += request.code == v4::Request::flush ? 1 : 0;
      bulk += request.bulk.size();
    }
  });
  ASSERT_TRUE(session);
  auto get = std::async(std::launch::async, [&] {
    return session->get(std::vector<BlobId>{blob_of(10, 1).head.id},
                        [](StoredBlob) -> Status { return {}; });
  });
  auto flush = std::async(std::launch::async, [&] { return session->flush(); });
  Status put;
  for (uint32_t i = 0; put && i < 100; ++i) {
    const auto number = session->put(blob_of(300'000, i));
    if (!number) put = failed(number.error());
  }
  EXPECT_EQ(code_of(put), Code::closed);
  EXPECT_EQ(code_of(get.get()), Code::closed);
  EXPECT_EQ(code_of(flush.get()), Code::closed);
  EXPECT_EQ(code_of(session->flush()), Code::closed) << "and what is asked later";
  EXPECT_FALSE(session->put(blob_of(10, 1)));
}

TEST_F(TroubleTest, closing_ends_what_waits) {
  std::promise<void> asked;
  const auto session = open([&](V4Peer& peer) {
    peer.expect(v4::Request::counts);
    asked.set_value();
    peer.wait_for_end();
  });
  ASSERT_TRUE(session);
  auto counts = std::async(std::launch::async, [&] { return session->counts(); });
  asked.get_future().wait();
  session->close();
  const auto answer = counts.get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::closed);
}

TEST_F(TroubleTest, a_server_that_never_answers_is_given_up) {
  V4Limits limits;
  limits.answer = std::chrono::milliseconds(300);
  const auto session = open([](V4Peer& peer) { peer.wait_for_end(); }, limits);
  ASSERT_TRUE(session);
  const auto counts = session->counts();
  ASSERT_FALSE(counts);
  EXPECT_EQ(counts.error().code, Code::closed);
  EXPECT_NE(counts.error().cause.find("did not answer"), std::string::npos);
}

TEST_F(TroubleTest, an_idle_session_beats) {
  heartbeat_seconds_ = 1;
  std::promise<int> beats;
  const auto session = open([&](V4Peer& peer) {
    v4::pb::Heartbeat beat;
    for (int i = 0; i < 2; ++i) {
      const testing::PeerRequest request = peer.expect(v4::Request::heartbeat);
      peer.send(v4::Response::heartbeat, request.id, beat);
    }
    beats.set_value(2);
    peer.wait_for_end();
  });
  ASSERT_TRUE(session);
  EXPECT_EQ(beats.get_future().get(), 2);
}

TEST_F(TroubleTest, a_refused_blob_is_told_by_what_comes_next_and_gets_go_on) {
  const auto session = open([](V4Peer& peer) {
    const testing::PeerRequest put = peer.expect(v4::Request::put);
    peer.send(v4::Response::failure, put.id,
              v4::failure_of(fail(Code::no_space, "store", "is full"), false));
    for (;;) {
      const testing::PeerRequest request = peer.read();
      if (request.code == v4::Request::counts)
        peer.send(v4::Response::counts, request.id, v4::pb::CountsReply());
      if (request.code == v4::Request::flush)
        peer.send(v4::Response::flush, request.id, v4::pb::FlushReply());
    }
  });
  ASSERT_TRUE(session);
  ASSERT_TRUE(session->put(blob_of(10, 1)));
  EXPECT_EQ(code_of(session->flush()), Code::no_space);
  const auto again = session->put(blob_of(10, 2));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::no_space);
  EXPECT_TRUE(session->counts());
}

TEST_F(TroubleTest, a_blob_whose_trouble_passes_is_a_lost_connection) {
  // The blob is gone: only a new connection helps.
  const auto session = open([](V4Peer& peer) {
    const testing::PeerRequest put = peer.expect(v4::Request::put);
    peer.send(v4::Response::failure, put.id,
              v4::failure_of(fail(Code::busy, "store", "is being moved"), false));
    peer.wait_for_end();
  });
  ASSERT_TRUE(session);
  ASSERT_TRUE(session->put(blob_of(10, 1)));
  EXPECT_EQ(code_of(session->flush()), Code::closed);
}

TEST_F(TroubleTest, a_server_that_ends_the_session_over_a_blob_says_why) {
  // As a server does whose disk is full: while the client is still sending.
  const auto session = open([](V4Peer& peer) {
    const testing::PeerRequest put = peer.expect(v4::Request::put);
    peer.send(v4::Response::failure, put.id,
              v4::failure_of(fail(Code::no_space, "store", "is full"), true));
    // Closing a socket with unread input would reset it, and the reset overtake the answer.
    peer.wait_for_end();
  });
  ASSERT_TRUE(session);
  Status put;
  for (uint32_t i = 0; put && i < 100; ++i) {
    const auto number = session->put(blob_of(300'000, i));
    if (!number) put = failed(number.error());
  }
  EXPECT_EQ(code_of(put), Code::no_space);
  EXPECT_EQ(code_of(session->flush()), Code::no_space);
  const auto counts = session->counts();
  ASSERT_FALSE(counts);
  EXPECT_EQ(counts.error().code, Code::closed);
}

TEST_F(TroubleTest, a_failure_ends_the_request_that_it_names) {
  const auto session = open([](V4Peer& peer) {
    const testing::PeerRequest request = peer.expect(v4::Request::remove_slot);
    peer.send(v4::Response::failure, request.id,
              v4::failure_of(fail(Code::denied, "slot", "is the last one"), false));
    const testing::PeerRequest next = peer.expect(v4::Request::counts);
    peer.send(v4::Response::counts, next.id, v4::pb::CountsReply());
    peer.wait_for_end();
  });
  ASSERT_TRUE(session);
  EXPECT_EQ(code_of(session->remove_slot({})), Code::denied);
  EXPECT_TRUE(session->counts());
}

TEST_F(TroubleTest, a_fatal_failure_is_a_lost_connection_to_all_others) {
  const auto session = open([](V4Peer& peer) {
    peer.expect(v4::Request::counts);
    peer.send(v4::Response::failure, v4::kPushedId,
              v4::failure_of(fail(Code::busy, "server", "is shutting down"), true));
    peer.wait_for_end();
  });
  ASSERT_TRUE(session);
  const auto counts = session->counts();
  ASSERT_FALSE(counts);
  EXPECT_EQ(counts.error().code, Code::closed);
  EXPECT_EQ(counts.error().cause, "is shutting down");
}

TEST_F(TroubleTest, a_receipt_that_the_server_did_not_sign_is_refused) {
  repository::CommitRequest request;
  request.snapshot = blob_of(10, 1).head.id;
  bool kept = false;
  for (const bool forged : {false, true}) {
    peer_.emplace(account_, [&](V4Peer& peer) {
      peer.greet();
      const testing::PeerRequest commit = peer.expect(v4::Request::commit);
      v4::pb::CommitReply reply;
      Bytes receipt = account_.receipt(request);
      if (forged) receipt.back() ^= std::byte{1};
      reply.set_receipt(v4::field_of(receipt));
      peer.send(v4::Response::commit, commit.id, reply);
      peer.wait_for_end();
    });
    kept = false;
    V4Identity identity = account_.identity();
    identity.receipt = [&](ByteView) -> Status {
      kept = true;
      return {};
    };
    const auto session = V4Session::open(peer_->stack(), peer_->target(), identity);
    ASSERT_TRUE(session) << session.error().text();
    const auto answer = (*session)->commit(request);
    EXPECT_EQ(answer.has_value(), !forged);
    EXPECT_EQ(kept, !forged);
  }
}

TEST_F(TroubleTest, a_receipt_of_something_else_than_was_asked_for_is_refused_and_not_kept) {
  repository::CommitRequest request;
  request.snapshot = blob_of(10, 1).head.id;
  using Change = std::function<void(repository::CommitRecord&)>;
  for (const Change& change :
       std::vector<Change>{[](auto& record) { record.type = repository::CommitType::removal; },
                           [](auto& record) { record.root = blob_of(10, 2).head.id; },
                           [](auto& record) { record.flags = repository::kSnapshotCheckpoint; },
                           [](auto& record) { record.device = {}; },
                           [](auto& record) { record.snapshot = blob_of(10, 2).head.id; },
                           [](auto& record) { record.commit_id.bytes[0] ^= std::byte{1}; }}) {
    peer_.emplace(account_, [&](V4Peer& peer) {
      peer.greet();
      const testing::PeerRequest commit = peer.expect(v4::Request::commit);
      auto record = *repository::decode_commit(account_.receipt(request));
      change(record);
      record.signature = *account_.server.sign(repository::signed_part(record, account_.record.id));
      v4::pb::CommitReply reply;
      reply.set_receipt(v4::field_of(repository::encode(record)));
      peer.send(v4::Response::commit, commit.id, reply);
      peer.wait_for_end();
    });
    V4Identity identity = account_.identity();
    bool kept = false;
    identity.receipt = [&](ByteView) -> Status {
      kept = true;
      return {};
    };
    const auto session = V4Session::open(peer_->stack(), peer_->target(), identity);
    ASSERT_TRUE(session) << session.error().text();
    EXPECT_FALSE((*session)->commit(request));
    EXPECT_FALSE(kept);
  }
}

// What a server may not say; each ends the session, and no call succeeds.
TEST_F(TroubleTest, nonsense_ends_the_session) {
  const auto garbage = [](V4Peer& peer, const testing::PeerRequest&) {
    peer.raw(as_bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
  };
  const auto unasked = [](V4Peer& peer, const testing::PeerRequest&) {
    peer.send(v4::Response::counts, 4711, v4::pb::CountsReply());
  };
  const auto too_much_taken = [](V4Peer& peer, const testing::PeerRequest&) {
    v4::pb::Taken taken;
    taken.set_bytes(1);
    peer.send(v4::Response::taken, v4::kPushedId, taken);
  };
  const auto other_kind = [](V4Peer& peer, const testing::PeerRequest& request) {
    peer.send(v4::Response::slots, request.id, v4::pb::SlotsReply());
  };
  const auto half_a_message = [](V4Peer& peer, const testing::PeerRequest& request) {
    peer.raw(v4::response_front(v4::Response::counts, request.id, as_bytes("\x0a\xff"), 0));
  };
  const std::vector<std::function<void(V4Peer&, const testing::PeerRequest&)>> all = {
      garbage, unasked, too_much_taken, other_kind, half_a_message};
  for (size_t i = 0; i < all.size(); ++i) {
    const auto session = open([&](V4Peer& peer) {
      const testing::PeerRequest request = peer.expect(v4::Request::counts);
      all[i](peer, request);
      peer.wait_for_end();
    });
    ASSERT_TRUE(session);
    const auto counts = session->counts();
    ASSERT_FALSE(counts) << i;
    EXPECT_EQ(counts.error().code, Code::corrupt) << i << " " << counts.error().text();
  }
}

TEST_F(TroubleTest, a_list_of_snapshots_without_end_is_given_up) {
  const repository::SnapshotInfo info{
      repository::decode_commit(account_.receipt(repository::CommitRequest())).value(), false};
  v4::pb::SnapshotsReply part;
  while (part.ByteSizeLong() < 50'000) *part.add_snapshots() = v4::message_of(info);
  V4Limits limits;
  limits.held = 100'000;
  limits.listed = 180'000;
  const auto session = open(
      [&](V4Peer& peer) {
        const testing::PeerRequest asked = peer.expect(v4::Request::snapshots);
        for (int i = 0; i < 20; ++i) peer.send(v4::Response::snapshots, asked.id, part);
        const testing::PeerRequest again = peer.expect(v4::Request::snapshots);
        peer.send(v4::Response::snapshots, again.id, part);
        peer.send(v4::Response::snapshots, again.id, v4::pb::SnapshotsReply());
        peer.wait_for_end();
      },
      limits);
  ASSERT_TRUE(session);
  const auto list = session->snapshots(false);
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, Code::limit) << list.error().text();
  // What still came of it is dropped. A part with nothing in it would take no memory, but all time.
  const auto empty = session->snapshots(false);
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, Code::corrupt) << empty.error().text();
}

// Pages are read until one says that it is the last: each must be further on than the one before.
TEST_F(TroubleTest, sessions_that_go_in_a_circle_are_refused) {
  v4::pb::SessionsReply page;
  for (const char id : {'a', 'b'}) {
    auto* info = page.add_sessions();
    info->set_session(std::string(16, id));
    info->set_record("any");
  }
  const auto session = open([&](V4Peer& peer) {
    for (int i = 0; i < 2; ++i)
      peer.send(v4::Response::sessions, peer.expect(v4::Request::sessions).id, page);
    peer.wait_for_end();
  });
  ASSERT_TRUE(session);
  const auto first = session->sessions(2, {});
  ASSERT_TRUE(first) << first.error().text();
  ASSERT_EQ(first->sessions.size(), 2u);
  const auto again = session->sessions(2, first->sessions.back().session);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::corrupt) << again.error().text();
}

TEST_F(TroubleTest, pages_of_copies_with_nothing_in_them_are_refused) {
  const auto session = open([](V4Peer& peer) {
    v4::pb::CopiesReply page;
    page.set_cursor(1);
    peer.send(v4::Response::copies, peer.expect(v4::Request::copies).id, page);
    page.set_last(true);
    peer.send(v4::Response::copies, peer.expect(v4::Request::copies).id, page);
    peer.wait_for_end();
  });
  ASSERT_TRUE(session);
  const auto page = session->copies(0);
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, Code::corrupt) << page.error().text();
  EXPECT_TRUE(session->copies(0));
}

TEST_F(TroubleTest, more_blobs_than_were_put_are_not_durable) {
  const auto session = open([](V4Peer& peer) {
    v4::pb::FlushReply reply;
    reply.set_durable(2);
    peer.expect(v4::Request::put);
    peer.send(v4::Response::flush, peer.expect(v4::Request::flush).id, reply);
    peer.wait_for_end();
  });
  ASSERT_TRUE(session);
  EXPECT_TRUE(session->put(blob_of(100, 1)));
  EXPECT_EQ(code_of(session->flush()), Code::corrupt);
  EXPECT_EQ(session->durable_puts(), 0u);
}

TEST_F(TroubleTest, blobs_that_were_not_asked_for_are_refused) {
  const auto session = open([](V4Peer& peer) {
    const testing::PeerRequest get = peer.expect(v4::Request::get);
    peer.send_blob(get.id, blob_of(100, 2));
    peer.wait_for_end();
  });
  ASSERT_TRUE(session);
  const Status got = session->get(std::vector<BlobId>{blob_of(100, 1).head.id},
                                  [](StoredBlob) -> Status { return {}; });
  EXPECT_EQ(code_of(got), Code::corrupt);
}

}  // namespace
}  // namespace cb::client
