// SPDX-License-Identifier: Apache-2.0
//
// The end of snapshots: since when they are in the trash, and their removal from there.
#include <gtest/gtest.h>

#include "core/repository/engine_chain.h"
#include "core/repository/engine_fixture.h"

namespace cb::repository {
namespace {

using std::chrono::seconds;

class EngineTrash : public testing::TestWithParam<const char*> {
 protected:
  EngineTrash() : house_(GetParam()), repository_(house_.create()) {
    owner_ = house_.add_device(1, Role::owner);
    writer_ = house_.add_device(2, Role::writer);
    set(1000);
  }

  Engine& engine() { return house_.engine(); }
  void set(int64_t at) { house_.clock().set_wall(seconds(2'000'000'000 + at)); }
  static int64_t time(int64_t at) { return (2'000'000'000 + at) * 1'000'000'000; }

  BlobId commit(uint64_t number) {
    const TestSnapshot snapshot = make_snapshot(number, 2, 500);
    const auto intake = must(engine().begin(repository_, owner_, false));
    for (const StoredBlob& blob : snapshot.blobs) must(put_blob(*intake, blob));
    must(intake->commit(snapshot.request));
    return snapshot.request.snapshot;
  }
  int64_t since(const BlobId& snapshot) {
    for (const Engine::Trashed& one : must(engine().trash(repository_)))
      if (one.snapshot == snapshot) return one.since_ns;
    return 0;
  }
  size_t listed(bool with_trash) {
    return must(engine().snapshots(repository_, with_trash)).size();
  }
  void expect_whole() {
    for (const std::string& finding : must(engine().check(repository_, true, {})).findings)
      ADD_FAILURE() << finding;
  }
  template <typename T>
  static void expect_code(const Result<T>& result, Code code) {
    if (result) {
      ADD_FAILURE() << "it succeeded";
      return;
    }
    EXPECT_EQ(result.error().code, code) << result.error().text();
  }

  EngineHouse house_;
  RepositoryId repository_;
  Viewer owner_, writer_;
};

TEST_P(EngineTrash, only_what_is_in_the_trash_is_removed_and_only_once) {
  const BlobId id = commit(1);
  expect_code(engine().remove(repository_, id), Code::state);
  expect_code(engine().remove(repository_, BlobId{}), Code::not_found);
  must(engine().forget(repository_, id, {}));
  const CommitRecord removal = must(engine().remove(repository_, id));
  EXPECT_EQ(removal.type, CommitType::removal);
  EXPECT_EQ(removal.snapshot, id);
  EXPECT_TRUE(removal.device.is_zero());
  EXPECT_EQ(removal.sequence, 3u);
  expect_code(engine().remove(repository_, id), Code::not_found);
  expect_code(engine().undelete(repository_, id, owner_.device), Code::not_found);
  EXPECT_EQ(listed(true), 0u);
  expect_whole();
}

TEST_P(EngineTrash, what_was_taken_out_of_the_trash_is_not_removed) {
  const BlobId id = commit(1);
  must(engine().forget(repository_, id, {}));
  must(engine().undelete(repository_, id, owner_.device));
  expect_code(engine().remove(repository_, id), Code::state);
  EXPECT_EQ(listed(false), 1u);
}

TEST_P(EngineTrash, a_removal_that_a_crash_left_without_a_row_is_done) {
  const BlobId id = commit(1);
  must(engine().forget(repository_, id, {}));
  const std::string kept = house_.catalog_file() + ".kept";
  house_.close();
  std::filesystem::copy_file(house_.catalog_file(), kept);
  must(house_.open());
  must(engine().remove(repository_, id));
  house_.close();
  for (const char* tail : {"", "-wal", "-shm"})
    std::filesystem::remove(house_.catalog_file() + tail);
  std::filesystem::rename(kept, house_.catalog_file());
  must(house_.open());
  EXPECT_EQ(listed(true), 0u);
  EXPECT_EQ(must(engine().head(repository_)).sequence, 3u);
  expect_whole();
}

TEST_P(EngineTrash, time_counts_from_the_forget_that_moved_it) {
  const BlobId id = commit(1);
  set(2000);
  must(engine().forget(repository_, id, writer_.device));  // a wish
  EXPECT_TRUE(must(engine().trash(repository_)).empty());
  set(3000);
  must(engine().forget(repository_, id, owner_.device));
  EXPECT_EQ(since(id), time(3000));
  set(4000);
  must(engine().undelete(repository_, id, owner_.device));
  set(5000);
  must(engine().forget(repository_, id, {}));
  EXPECT_EQ(since(id), time(5000));
  house_.reopen();
  EXPECT_EQ(since(id), time(5000));
}

TEST_P(EngineTrash, a_writer_s_flood_of_wishes_moves_no_time) {
  const BlobId id = commit(1);
  set(2000);
  must(engine().forget(repository_, id, {}));
  for (int i = 0; i < 300; ++i) {
    set(3000 + i);
    must(engine().undelete(repository_, id, writer_.device));
    must(engine().forget(repository_, id, writer_.device));
  }
  EXPECT_GT(must(engine().head(repository_)).sequence, 600u);
  EXPECT_EQ(since(id), time(2000));
  EXPECT_EQ(listed(false), 0u);
  must(engine().remove(repository_, id));
  expect_whole();
}

TEST_P(EngineTrash, a_removed_snapshot_that_is_sent_again_is_a_new_one) {
  const BlobId id = commit(1);
  must(engine().forget(repository_, id, {}));
  must(engine().remove(repository_, id));
  set(9000);
  TestSnapshot again = make_snapshot(1, 2, 500);
  // The same commit as before gets the same answer, and brings nothing back.
  const auto intake = must(engine().begin(repository_, owner_, false));
  must(intake->commit(again.request));
  EXPECT_EQ(listed(true), 0u);
  again.request.commit_id.bytes[0] ^= std::byte{1};
  must(intake->commit(again.request));
  const auto snapshots = must(engine().snapshots(repository_, true));
  ASSERT_EQ(snapshots.size(), 1u);
  EXPECT_EQ(snapshots[0].commit.time_ns, time(9000));
  EXPECT_FALSE(snapshots[0].in_trash);
  expect_whole();
}

TEST_P(EngineTrash, what_lies_in_the_trash_is_not_brought_back_by_a_commit_of_its_id) {
  const BlobId id = commit(1);
  must(engine().forget(repository_, id, {}));
  TestSnapshot again = make_snapshot(1, 2, 500);
  again.request.commit_id.bytes[0] ^= std::byte{1};
  const auto intake = must(engine().begin(repository_, writer_, false));
  must(intake->commit(again.request));
  EXPECT_EQ(listed(false), 0u);
  EXPECT_EQ(listed(true), 1u);
  EXPECT_EQ(must(engine().head(repository_)).sequence, 2u);
}

INSTANTIATE_TEST_SUITE_P(Stores, EngineTrash, testing::Values("store-fs", "store-sqlite"),
                         [](const auto& store) {
                           return std::string(store.param) == "store-fs" ? "fs" : "sqlite";
                         });

}  // namespace
}  // namespace cb::repository
