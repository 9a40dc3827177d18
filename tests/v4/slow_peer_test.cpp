// SPDX-License-Identifier: Apache-2.0
//
// Peers that do not read what they asked for, or send without end: they cost the server a few
// buffers, and delay nobody else.
#include <gmock/gmock.h>

#include "core/os/process.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using v4::Request;
using v4::Response;

// The sanitizers keep freed memory for a while.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kAllowed = 1024 * kMiB;
#else
constexpr uint64_t kAllowed = 24 * kMiB;
#endif

class V4Slow : public V4Server {
 protected:
  // Stores so much that no socket's buffers hold it.
  void store_much() {
    auto peer = enrolled("alice", owner_);
    for (uint32_t i = 0; i < blobs_.all.size(); ++i)
      ASSERT_TRUE(peer->put(100 + i, blobs_.all[i].head, blobs_.all[i].stored));
    peer->request(Request::flush, 99);
    ASSERT_EQ(peer->answer()->code, Response::flush);
  }
  bool ask_for(V4Peer& peer, std::span<const repository::StoredBlob> blobs) {
    std::vector<repository::BlobId> ids;
    for (const auto& blob : blobs) ids.push_back(blob.head.id);
    v4::pb::Get get;
    get.set_ids(v4::join_ids(ids));
    return peer.request(Request::get, peer.next_id++, get);
  }
  // Reads the answer to a Get and compares it with what was stored; `first` came already.
  void expect_blobs(V4Peer& peer, std::span<const repository::StoredBlob> blobs,
                    std::optional<V4Answer> first = std::nullopt) {
    std::map<repository::BlobId, repository::StoredBlob> got;
    repository::StoredBlob* open = nullptr;
    while (const auto answer = first ? std::exchange(first, std::nullopt) : peer.answer()) {
      ASSERT_EQ(answer->failure(), "");
      if (answer->code == Response::get_end) {
        EXPECT_EQ(answer->as<v4::pb::GetEnd>().missing(), "");
        break;
      }
      if (answer->code == Response::blob) {
        const auto head = v4::head_of(answer->as<v4::pb::Blob>()).value();
        EXPECT_FALSE(got.contains(head.id)) << "came twice";
        open = &got[head.id];
        open->head = head;
      }
      ASSERT_NE(open, nullptr);
      open->stored.insert(open->stored.end(), answer->bulk.begin(), answer->bulk.end());
    }
    ASSERT_EQ(got.size(), blobs.size());
    for (const auto& blob : blobs) {
      EXPECT_EQ(got[blob.head.id].head, blob.head);
      EXPECT_TRUE(got[blob.head.id].stored == blob.stored);
    }
  }

  V4Owner owner_ = V4Owner::make();
  const V4Blobs blobs_{4'000'000, 8};
};

TEST_F(V4Slow, peers_that_do_not_read_leave_the_readers_to_others) {
  start();
  store_much();
  constexpr size_t kPeers = 24;  // and the daemon has 16 readers
  std::vector<std::unique_ptr<V4Peer>> slow;
  std::vector<V4Answer> first;
  for (size_t i = 0; i < kPeers; ++i) {
    slow.push_back(member(owner_));
    ASSERT_TRUE(ask_for(*slow.back(), blobs_.all));
  }
  for (const auto& peer : slow) {
    auto answer = peer->answer();
    ASSERT_TRUE(answer) << "a Get waits for those before it";
    first.push_back(std::move(*answer));
  }
  const auto honest = member(owner_);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(ask_for(*honest, std::span(blobs_.all).last(3)));
    expect_blobs(*honest, std::span(blobs_.all).last(3));
  }
  // They get everything all the same, once they read.
  for (const size_t i : {size_t{0}, kPeers / 2, kPeers - 1})
    expect_blobs(*slow[i], blobs_.all, std::move(first[i]));
}

TEST_F(V4Slow, a_head_that_fills_more_than_a_buffer_survives_a_pause) {
  start();
  auto peer = enrolled("alice", owner_);
  std::vector<repository::StoredBlob> wide;
  V4Blobs some;
  ASSERT_TRUE(peer->put(50, some.all[0].head, some.all[0].stored));
  std::vector<repository::BlobId> children;
  while (children.size() < repository::kMaxChildren) children.push_back(random_blob_id());
  for (uint32_t i = 0; i < 60; ++i) {
    repository::StoredBlob blob = some.all[2];
    blob.head.id = random_blob_id();
    blob.head.children = children;
    ASSERT_TRUE(peer->put(51 + i, blob.head, blob.stored));
    wide.push_back(std::move(blob));
  }
  ASSERT_TRUE(ask_for(*peer, wide));
  auto first = peer->answer();
  ASSERT_TRUE(first);
  // Everybody else's Gets press the readers; this one pauses.
  std::vector<std::unique_ptr<V4Peer>> others;
  for (size_t i = 0; i < 17; ++i) {
    others.push_back(member(owner_));
    ASSERT_TRUE(ask_for(*others.back(), wide));
    ASSERT_TRUE(others.back()->answer());
  }
  expect_blobs(*peer, wide, std::move(first));
}

TEST_F(V4Slow, a_peer_that_asks_without_end_and_never_reads_is_ended) {
  start({"v4.write_timeout=500ms"});
  store_much();
  wait_until_idle();
  auto peer = member(owner_);
  const uint64_t before = os::resident_bytes();
  size_t asked = 0;
  while (asked < 1'000'000 && ask_for(*peer, blobs_.all)) ++asked;
  wait_until_idle();
  EXPECT_LT(os::resident_bytes(), before + kAllowed);
  EXPECT_LT(asked, 1'000'000U);
  const auto next = member(owner_);
  ASSERT_TRUE(ask_for(*next, std::span(blobs_.all).first(1)));
  expect_blobs(*next, std::span(blobs_.all).first(1));
}

TEST_F(V4Slow, blobs_without_end_from_a_peer_that_never_reads_cost_a_few_buffers) {
  start();
  store_much();
  wait_until_idle();
  auto peer = member(owner_);
  const auto other = member(owner_);
  const uint64_t before = os::resident_bytes();
  // Far more than the credit, and never a look at what was taken. The server has them already.
  for (uint32_t i = 0; i < 64; ++i) {
    const auto& blob = blobs_.all[1 + i % 8];
    ASSERT_TRUE(peer->put(200 + i, blob.head, blob.stored));
    EXPECT_LT(os::resident_bytes(), before + kAllowed) << "after " << i << " blobs";
    if (i % 16 != 0) continue;
    other->request(Request::counts, 90 + i);
    ASSERT_EQ(other->answer()->code, Response::counts);
  }
  peer->request(Request::flush, 300);
  ASSERT_EQ(peer->answer()->code, Response::flush);
  EXPECT_EQ(peer->taken.bytes(), 64 * blobs_.all[1].stored.size());
}

}  // namespace
}  // namespace cb::server
