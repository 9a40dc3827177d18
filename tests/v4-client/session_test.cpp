// SPDX-License-Identifier: Apache-2.0
//
// A v4 session over real TLS: what is put comes back, whoever puts and gets, within the credit.
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "core/client/v4_calls.h"
#include "core/server/stopped_clock.h"
#include "tests/v4-client/scripted_peer.h"

namespace cb::client {
namespace {

using repository::BlobId;
using repository::StoredBlob;
using testing::blob_of;

// A session with a repository in memory.
class SessionTest : public ::testing::Test {
 protected:
  std::shared_ptr<V4Session> open(const V4Limits& limits = {}, uint32_t credit = 4 << 20) {
    peer_.emplace(account_, [this, credit](testing::V4Peer& peer) {
      peer.reply.set_credit(credit);
      peer.greet();
      repository_.serve(peer);
    });
    auto session = V4Session::open(peer_->stack(), peer_->target(), account_.identity(), limits);
    if (!session) ADD_FAILURE() << session.error().text();
    return session ? *session : nullptr;
  }

  // The blobs with these ids, as the session gives them.
  static std::map<BlobId, Bytes> get(V4Session& session, const std::vector<BlobId>& ids) {
    std::map<BlobId, Bytes> all;
    const Status got = session.get(ids, [&](StoredBlob blob) -> Status {
      all[blob.head.id] = std::move(blob.stored);
      return {};
    });
    EXPECT_TRUE(got) << got.error().text();
    return all;
  }

  testing::Account account_;
  testing::MemoryRepository repository_;
  std::optional<testing::ScriptedPeer> peer_;
};

TEST_F(SessionTest, what_is_put_comes_back_whatever_its_size) {
  const auto session = open();
  ASSERT_TRUE(session);
  std::map<BlobId, Bytes> expected;
  std::vector<BlobId> ids;
  uint32_t seed = 0;
  const size_t frame = v4::kFrameMax;
  for (const size_t size : {size_t{1}, size_t{100}, frame - 200, frame - 8, frame, 3 * frame + 17,
                            repository::kMaxStored}) {
    StoredBlob blob = blob_of(size, ++seed);
    for (uint32_t child = 0; child < seed; ++child)
      blob.head.children.push_back(blob_of(8, 1000 + child).head.id);
    expected[blob.head.id] = blob.stored;
    ids.push_back(blob.head.id);
    const auto number = session->put(std::move(blob));
    ASSERT_TRUE(number) << number.error().text();
    EXPECT_EQ(*number, seed);
  }
  ASSERT_TRUE(session->flush());
  EXPECT_EQ(session->durable_puts(), seed);
  EXPECT_EQ(get(*session, ids), expected);
}

TEST_F(SessionTest, threads_share_one_session) {
  const auto session = open();
  ASSERT_TRUE(session);
  constexpr uint32_t kThreads = 6, kBlobs = 40;
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (uint32_t i = 0; i < kBlobs; ++i) {
        const uint32_t seed = t * kBlobs + i;
        StoredBlob blob = blob_of(1 + seed * 1777 % 400'000, seed);
        const BlobId id = blob.head.id;
        const Bytes content = blob.stored;
        ASSERT_TRUE(session->put(std::move(blob)));
        if (i % 8 != 7) continue;
        ASSERT_TRUE(session->flush());
        EXPECT_EQ(session->have(std::vector<BlobId>{id}).value(), std::vector<bool>{true});
        EXPECT_EQ(get(*session, {id})[id], content);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(repository_.size(), kThreads * kBlobs);
}

TEST_F(SessionTest, puts_stay_within_the_credit) {
  constexpr uint32_t kCredit = 1 << 20;
  repository_.stingy_credit = kCredit;
  auto session = open({}, kCredit);
  ASSERT_TRUE(session);
  for (uint32_t i = 0; i < 60; ++i) ASSERT_TRUE(session->put(blob_of(300'000 + i, i)));
  ASSERT_TRUE(session->flush());
  session.reset();
  peer_->join();
  EXPECT_LE(repository_.most_unanswered(), kCredit);
  EXPECT_GT(repository_.most_unanswered(), kCredit / 2);
}

TEST_F(SessionTest, asks_about_more_ids_than_fit_into_one_request) {
  const auto session = open();
  ASSERT_TRUE(session);
  ASSERT_TRUE(session->put(blob_of(10, 4999)));
  ASSERT_TRUE(session->flush());
  std::vector<BlobId> ids;
  for (uint32_t i = 0; i < 5000; ++i) ids.push_back(blob_of(10, i).head.id);
  const auto present = session->have(ids);
  ASSERT_TRUE(present) << present.error().text();
  EXPECT_EQ(std::count(present->begin(), present->end(), true), 1);
  EXPECT_TRUE(present->back());
}

TEST_F(SessionTest, a_missing_blob_is_told_after_the_others_came) {
  const auto session = open();
  ASSERT_TRUE(session);
  ASSERT_TRUE(session->put(blob_of(10, 1)));
  ASSERT_TRUE(session->flush());
  size_t came = 0;
  const std::vector<BlobId> ids = {blob_of(10, 2).head.id, blob_of(10, 1).head.id};
  const Status got = session->get(ids, [&](StoredBlob) -> Status {
    ++came;
    return {};
  });
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::not_found);
  EXPECT_EQ(came, 1u);
}

TEST_F(SessionTest, a_failing_sink_ends_its_get_alone) {
  const auto session = open();
  ASSERT_TRUE(session);
  std::vector<BlobId> ids;
  for (uint32_t i = 0; i < 40; ++i) {
    ids.push_back(blob_of(300'000, i).head.id);
    ASSERT_TRUE(session->put(blob_of(300'000, i)));
  }
  ASSERT_TRUE(session->flush());
  const Status got = session->get(
      ids, [](StoredBlob) -> Status { return failed(Code::no_space, "disk", "is full"); });
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::no_space);
  EXPECT_EQ(get(*session, ids).size(), ids.size());
}

TEST_F(SessionTest, a_sink_may_ask_for_more_although_all_room_is_taken) {
  V4Limits limits;
  limits.held = 1000;  // less than one blob
  const auto session = open(limits);
  ASSERT_TRUE(session);
  std::vector<BlobId> ids;
  for (uint32_t i = 0; i < 30; ++i) {
    ids.push_back(blob_of(300'000, i).head.id);
    ASSERT_TRUE(session->put(blob_of(300'000, i)));
  }
  ASSERT_TRUE(session->flush());
  size_t inner = 0;
  const Status got = session->get(ids, [&](StoredBlob blob) -> Status {
    inner += get(*session, {blob.head.id}).size();
    return {};
  });
  EXPECT_TRUE(got) << got.error().text();
  EXPECT_EQ(inner, ids.size());
}

TEST(Calls, reading_pauses_while_so_much_is_held_and_goes_on_when_it_was_taken) {
  std::atomic<int> resumed{0};
  V4Calls calls(500'000, [&] { ++resumed; });
  const auto call = calls.begin(std::chrono::seconds(1)).value();
  const auto deliver = [&](uint32_t seed) {
    const StoredBlob blob = blob_of(200'000, seed);
    const Bytes message = v4::encode(v4::blob_of(blob.head));
    EXPECT_TRUE(calls.deliver({v4::Response::blob, call->id, message, blob.stored}).value());
  };
  deliver(1);
  deliver(2);
  EXPECT_FALSE(calls.must_pause());
  deliver(3);
  EXPECT_TRUE(calls.must_pause());
  EXPECT_EQ(resumed, 0);
  EXPECT_EQ(calls.next(*call)->blob.stored.size(), 200'000u);
  EXPECT_EQ(resumed, 1);
  EXPECT_FALSE(calls.must_pause());
}

TEST(Calls, reading_pauses_for_answers_without_blobs_too) {
  std::atomic<int> resumed{0};
  V4Calls calls(500'000, [&] { ++resumed; });
  const auto call = calls.begin(std::chrono::seconds(1)).value();
  const Bytes message(200'000);
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(calls.deliver({v4::Response::snapshots, call->id, message, {}}).value());
  EXPECT_TRUE(calls.must_pause());
  EXPECT_EQ(calls.next(*call)->message.size(), message.size());
  EXPECT_EQ(resumed, 1);
  EXPECT_TRUE(calls.deliver({v4::Response::snapshots, call->id, message, {}}).value());
  EXPECT_TRUE(calls.must_pause());
  calls.end(call, false);
  EXPECT_EQ(resumed, 2);
  EXPECT_FALSE(calls.must_pause());
}

TEST(Calls, a_list_that_nobody_wants_any_more_is_waited_for_to_its_end_only) {
  V4Calls calls(500'000, [] {});
  const auto call = calls.begin(std::chrono::seconds(1)).value();
  v4::pb::SnapshotsReply part;
  const auto deliver = [&] {
    const Bytes message = v4::encode(part);
    return calls.deliver({v4::Response::snapshots, call->id, message, {}}).value();
  };
  EXPECT_TRUE(deliver());
  calls.end(call, false);
  EXPECT_TRUE(deliver());
  part.set_last(true);
  EXPECT_TRUE(deliver());
  const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  EXPECT_FALSE(calls.overdue(late, std::chrono::nanoseconds::zero()));
  EXPECT_FALSE(deliver());
}

TEST(Calls, a_slow_caller_is_not_a_late_server) {
  V4Calls calls(500'000, [] {});
  const auto call = calls.begin(std::chrono::seconds(1)).value();
  const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  const auto nothing = std::chrono::nanoseconds::zero();
  EXPECT_TRUE(calls.overdue(late, nothing));
  EXPECT_TRUE(calls.deliver({v4::Response::snapshots, call->id, {}, {}}).value());
  EXPECT_FALSE(calls.overdue(late, nothing));
  EXPECT_TRUE(calls.next(*call));
  EXPECT_TRUE(calls.overdue(late, nothing));
  EXPECT_FALSE(calls.overdue(late, std::chrono::seconds(10)));
}

TEST(Calls, nobody_is_late_while_the_server_works_for_others) {
  V4Calls calls(500'000, [] {});
  const auto first = calls.begin(std::chrono::seconds(1)).value();
  const auto second = calls.begin(std::chrono::seconds(60)).value();
  const auto nothing = std::chrono::nanoseconds::zero();
  const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(1001);
  while (std::chrono::steady_clock::now() < soon) std::this_thread::yield();
  EXPECT_TRUE(calls.overdue(std::chrono::steady_clock::now(), nothing));
  EXPECT_TRUE(calls.deliver({v4::Response::snapshots, second->id, {}, {}}).value());
  EXPECT_FALSE(calls.overdue(std::chrono::steady_clock::now(), nothing));
}

TEST_F(SessionTest, what_goes_and_comes_keeps_to_the_limits_of_this_side) {
  using namespace std::chrono_literals;
  server::StoppedClock clock;
  const stream::Rate rate{65'536, 65'536};
  V4Limits limits;
  limits.flow.upload = std::make_shared<stream::Throttle>(clock, rate);
  limits.flow.download = std::make_shared<stream::Throttle>(clock, rate);
  const auto session = open(limits);
  ASSERT_TRUE(session);
  const StoredBlob blob = blob_of(200'000, 1);
  ASSERT_TRUE(session->put(blob));
  const auto waits = [&](auto& work) {
    EXPECT_EQ(work.wait_for(300ms), std::future_status::timeout) << "the clock stands";
    while (work.wait_for(20ms) != std::future_status::ready) clock.forward(1s);
    return work.get();
  };
  auto sent = std::async(std::launch::async, [&] { return session->flush(); });
  EXPECT_TRUE(waits(sent));
  auto got = std::async(std::launch::async, [&] { return get(*session, {blob.head.id}); });
  EXPECT_EQ(waits(got).at(blob.head.id), blob.stored);
}

}  // namespace
}  // namespace cb::client
