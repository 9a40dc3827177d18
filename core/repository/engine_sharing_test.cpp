// SPDX-License-Identifier: Apache-2.0
//
// Several intakes of one repository that bring the same blobs at the same time: what is stored,
// what each may claim, and what becomes of it when one of them stalls, breaks off or gives up.
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "core/repository/engine_fixture.h"

namespace cb::repository {
namespace {

using std::chrono::seconds;

class EngineSharing : public testing::TestWithParam<const char*> {
 protected:
  EngineSharing() : house_(GetParam()), repository_(house_.create()) {}

  Engine& engine() { return house_.engine(); }
  std::unique_ptr<Intake> begin(bool is_private = false) {
    return must(engine().begin(repository_, {device_of(1)}, is_private));
  }
  static void put_all(Intake& intake, const TestSnapshot& snapshot) {
    for (const StoredBlob& blob : snapshot.blobs) must(put_blob(intake, blob));
  }
  std::vector<bool> stored(std::span<const BlobId> ids) {
    return must(engine().have(repository_, {}, ids));
  }
  // Stored bytes of blobs that the index finds elsewhere. Not of session records: those lie in each
  // pack that needs them.
  uint64_t garbage() {
    uint64_t sum = 0;
    for (const auto& pack : must(house_.catalog().index().packs(1, 0, 1000))) sum += pack.garbage;
    return sum;
  }
  size_t packs() { return house_.objects("v4/" + repository_.hex() + "/pack/").size(); }
  void expect_whole(const TestSnapshot& snapshot) {
    const auto found = must(read_all(engine(), repository_, ids_of(snapshot.blobs)));
    ASSERT_EQ(found.size(), snapshot.blobs.size());
    for (const StoredBlob& blob : snapshot.blobs)
      EXPECT_EQ(found.at(blob.head.id).stored, blob.stored);
    const auto checked = must(engine().check(repository_, true, {}));
    EXPECT_TRUE(checked.findings.empty()) << checked.findings.front();
  }

  EngineHouse house_;
  RepositoryId repository_;
};

INSTANTIATE_TEST_SUITE_P(Stores, EngineSharing, testing::Values("store-fs", "store-sqlite"),
                         [](const auto& one) {
                           return std::string(one.param) == "store-fs" ? "fs" : "sqlite";
                         });

TEST_P(EngineSharing,
       a_blob_on_its_way_is_there_for_others_but_not_stored_and_not_for_the_private) {
  const auto mine = begin();
  const auto other = begin();
  const auto lonely = begin(true);
  const StoredBlob blob = make_blob(BlobKind::data, 5, 1000);
  const std::array<BlobId, 2> ids = {blob.head.id, make_blob(BlobKind::data, 6, 1).head.id};
  ASSERT_OK(put_blob(*mine, session_record(1)));
  ASSERT_OK(put_blob(*mine, blob));
  EXPECT_EQ(must(mine->have(ids)), (std::vector<bool>{true, false}));
  EXPECT_EQ(must(other->have(ids)), (std::vector<bool>{true, false}));
  EXPECT_EQ(must(lonely->have(ids)), (std::vector<bool>{false, false}));
  EXPECT_EQ(stored(ids), (std::vector<bool>{false, false}));
  EXPECT_TRUE(read_all(engine(), repository_, ids)->empty());
  ASSERT_OK(mine->flush());
  EXPECT_EQ(must(lonely->have(ids)), (std::vector<bool>{true, false}));
  EXPECT_EQ(stored(ids), (std::vector<bool>{true, false}));
  EXPECT_EQ(read_all(engine(), repository_, ids)->size(), 1u);
}

TEST_P(EngineSharing, two_who_send_the_same_at_once_are_both_served_and_it_is_stored_once) {
  const auto first = begin();
  const auto second = begin();
  const TestSnapshot snapshot = make_snapshot(1, 4, 10'000);
  for (const StoredBlob& blob : snapshot.blobs) {
    ASSERT_OK(put_blob(*first, blob));
    ASSERT_OK(put_blob(*second, blob));
  }
  ASSERT_OK(second->flush());
  EXPECT_EQ(second->durable(), 1u);  // its session record
  EXPECT_FALSE(second->settle({}));
  EXPECT_TRUE(first->is_wanted());
  ASSERT_OK(first->close_old());
  EXPECT_FALSE(first->is_wanted());
  EXPECT_EQ(first->durable(), snapshot.blobs.size());
  EXPECT_TRUE(second->settle({}));
  EXPECT_EQ(second->durable(), snapshot.blobs.size());
  EXPECT_TRUE(must(second->commit(snapshot.request)).missing.empty());
  EXPECT_EQ(must(engine().counts(repository_)).blobs, snapshot.blobs.size());
  EXPECT_EQ(packs(), 3u);
  EXPECT_EQ(garbage(), 0u);
  expect_whole(snapshot);
}

TEST_P(EngineSharing, a_blob_that_is_half_there_is_not_begun_twice_and_waited_for) {
  const auto first = begin();
  const auto second = begin();
  const TestSnapshot snapshot = make_snapshot(1, 1, 10'000);
  const StoredBlob& blob = snapshot.blobs[1];
  ASSERT_OK(put_blob(*first, snapshot.blobs[0]));
  ASSERT_OK(first->begin(blob.head));
  ASSERT_OK(first->content(ByteView(blob.stored).first(5000)));
  put_all(*second, snapshot);
  ASSERT_OK(second->flush());
  EXPECT_FALSE(second->settle({}));
  ASSERT_OK(first->close_old());  // not in the middle of a blob
  EXPECT_FALSE(second->settle({}));
  ASSERT_OK(first->content(ByteView(blob.stored).subspan(5000)));
  ASSERT_OK(first->end());  // closes it
  EXPECT_TRUE(second->settle({}));
  EXPECT_TRUE(must(second->commit(snapshot.request)).missing.empty());
  EXPECT_EQ(second->durable(), snapshot.blobs.size());
  expect_whole(snapshot);
}

TEST_P(EngineSharing,
       what_another_breaks_off_is_never_acknowledged_and_is_asked_for_at_the_commit) {
  const TestSnapshot snapshot = make_snapshot(1, 3, 10'000);
  const StoredBlob& whole = snapshot.blobs[1];
  const StoredBlob& half = snapshot.blobs[2];
  const auto second = begin();
  {
    const auto first = begin();
    ASSERT_OK(put_blob(*first, snapshot.blobs[0]));
    ASSERT_OK(put_blob(*first, whole));
    ASSERT_OK(first->begin(half.head));
    ASSERT_OK(first->content(ByteView(half.stored).first(5000)));
    put_all(*second, snapshot);
    first->cut();
  }
  ASSERT_OK(second->flush());
  EXPECT_TRUE(second->settle({}));
  EXPECT_TRUE(stored(std::array<BlobId, 1>{whole.head.id})[0]);
  // It cannot tell the two from each other, so it claims neither of them nor what came behind.
  EXPECT_EQ(second->durable(), 1u);
  EXPECT_EQ(must(second->commit(snapshot.request)).missing, std::vector<BlobId>{half.head.id});
  ASSERT_OK(put_blob(*second, half));
  EXPECT_TRUE(must(second->commit(snapshot.request)).missing.empty());
  EXPECT_EQ(second->durable(), 1u);
  expect_whole(snapshot);
}

TEST_P(EngineSharing, what_was_given_up_and_broken_off_is_not_acknowledged_to_a_third) {
  const TestSnapshot snapshot = make_snapshot(1, 3, 10'000);
  const StoredBlob& half = snapshot.blobs[2];
  auto first = begin();
  const auto second = begin();
  const auto third = begin();
  ASSERT_OK(put_blob(*first, snapshot.blobs[0]));
  ASSERT_OK(first->begin(half.head));
  ASSERT_OK(first->content(ByteView(half.stored).first(5000)));
  ASSERT_OK(put_blob(*third, snapshot.blobs[0]));
  ASSERT_OK(put_blob(*third, half));
  put_all(*second, snapshot);
  ASSERT_FALSE(must(second->commit(snapshot.request)).missing.empty());
  // It is sent anew, into a pack that stays open; then the first one breaks off.
  ASSERT_OK(put_blob(*second, half));
  first->cut();
  first.reset();
  ASSERT_OK(third->flush());
  EXPECT_FALSE(stored(std::array<BlobId, 1>{half.head.id})[0]);
  EXPECT_LT(third->durable(), 2u);
}

TEST_P(EngineSharing, what_another_drops_is_asked_for_at_the_commit) {
  const TestSnapshot snapshot = make_snapshot(1, 3, 10'000);
  const auto first = begin();
  const auto second = begin();
  put_all(*first, snapshot);
  ASSERT_OK(put_blob(*second, snapshot.blobs[0]));
  std::vector<BlobId> ids = ids_of(snapshot.blobs);
  EXPECT_EQ(must(second->have(ids)), std::vector<bool>(ids.size(), true));
  ASSERT_OK(first->drop());
  EXPECT_TRUE(second->settle({}));
  const CommitAnswer answer = must(second->commit(snapshot.request));
  EXPECT_EQ(std::set<BlobId>(answer.missing.begin(), answer.missing.end()),
            (std::set<BlobId>{snapshot.request.snapshot, snapshot.request.root}));
  EXPECT_FALSE(must(second->have(ids))[1]);
  put_all(*second, snapshot);
  EXPECT_TRUE(must(second->commit(snapshot.request)).missing.empty());
  EXPECT_EQ(second->durable(), snapshot.blobs.size() + 1);
  EXPECT_EQ(packs(), 3u);
  expect_whole(snapshot);
}

TEST_P(EngineSharing, who_stalls_is_waited_for_once_and_then_leaned_on_by_nobody) {
  const TestSnapshot snapshot = make_snapshot(1, 3, 10'000);
  const auto first = begin();
  const auto second = begin();
  const auto third = begin();
  put_all(*first, snapshot);
  put_all(*second, snapshot);
  put_all(*third, snapshot);
  EXPECT_FALSE(second->settle(std::chrono::milliseconds(1)));
  EXPECT_FALSE(must(second->commit(snapshot.request)).missing.empty());
  EXPECT_TRUE(third->settle({}));  // there is nothing to wait for any more
  std::vector<BlobId> ids = ids_of(snapshot.blobs);
  EXPECT_FALSE(must(third->have(ids))[1]);
  put_all(*second, snapshot);
  EXPECT_TRUE(must(second->commit(snapshot.request)).missing.empty());
  EXPECT_EQ(garbage(), 0u);
  // It wakes up: its copy is a second one, which counts as garbage.
  ASSERT_OK(first->flush());
  EXPECT_EQ(first->durable(), snapshot.blobs.size());
  EXPECT_EQ(must(engine().counts(repository_)).blobs, snapshot.blobs.size());
  EXPECT_GT(garbage(), 30'000u);
  expect_whole(snapshot);
}

TEST_P(EngineSharing, the_private_neither_lean_nor_are_leaned_on) {
  const TestSnapshot snapshot = make_snapshot(1, 3, 10'000);
  const auto lonely = begin(true);
  const auto other = begin();
  const auto another = begin(true);
  put_all(*lonely, snapshot);
  put_all(*other, snapshot);
  put_all(*another, snapshot);
  for (const auto* intake : {&lonely, &other, &another}) {
    ASSERT_OK((*intake)->flush());
    EXPECT_TRUE((*intake)->settle({}));
    EXPECT_EQ((*intake)->durable(), snapshot.blobs.size());
  }
  EXPECT_EQ(packs(), 6u);
  EXPECT_TRUE(must(another->commit(snapshot.request)).missing.empty());
  expect_whole(snapshot);
}

TEST_P(EngineSharing, a_long_course_of_leaning_counts_right) {
  const auto first = begin();
  const auto second = begin();
  ASSERT_OK(put_blob(*first, session_record(1)));
  ASSERT_OK(put_blob(*second, session_record(1)));
  // By turns, so that no two that follow each other are durable with the same pack.
  for (uint64_t i = 1; i <= 900; ++i) {
    const StoredBlob blob = make_blob(BlobKind::data, i, 10);
    if (i % 2 == 0) ASSERT_OK(put_blob(*first, blob));
    ASSERT_OK(put_blob(*second, blob));
  }
  EXPECT_EQ(second->durable(), 0u);
  ASSERT_OK(second->flush());
  EXPECT_EQ(second->durable(), 2u);  // the record and the first blob
  ASSERT_OK(first->flush());
  ASSERT_OK(second->close_old());
  EXPECT_EQ(second->durable(), 901u);
}

TEST_P(EngineSharing, threads_that_bring_the_same_store_it_once_and_all_commit) {
  constexpr size_t kThreads = 12;
  EngineLimits limits;
  limits.data_pack = 300'000;
  house_.set_limits(limits);
  const TestSnapshot shared = make_snapshot(999, 20, 20'000);
  std::vector<std::string> failures(kThreads);
  std::atomic<size_t> left_out = 0;
  const auto back_up = [&](size_t i) {
    const auto intake = begin();
    std::vector<bool> there(shared.blobs.size());
    for (size_t k = 0; k < shared.blobs.size(); ++k) {
      const StoredBlob& blob = shared.blobs[k];
      // Half of them ask, the others send in any case.
      const std::array<BlobId, 1> id = {blob.head.id};
      there[k] = i % 2 == 0 && k > 0 && must(intake->have(id))[0];
      if (there[k])
        ++left_out;
      else
        must(put_blob(*intake, blob));
      must(intake->close_old());
    }
    must(intake->flush());
    if (!intake->settle(seconds(60))) throw std::runtime_error("somebody was waited for in vain");
    CommitRequest request = shared.request;
    request.commit_id.bytes[0] = static_cast<std::byte>(i);
    if (!must(intake->commit(request)).missing.empty())
      throw std::runtime_error("the commit misses blobs");
    if (must(read_all(engine(), repository_, ids_of(shared.blobs))).size() != shared.blobs.size())
      throw std::runtime_error("blobs are lacking");
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      try {
        back_up(i);
      } catch (const std::exception& error) {
        failures[i] = error.what();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& failure : failures) EXPECT_EQ(failure, "");
  EXPECT_GT(left_out, 0u);
  EXPECT_EQ(garbage(), 0u);
  expect_whole(shared);
}

}  // namespace
}  // namespace cb::repository
