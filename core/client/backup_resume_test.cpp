// SPDX-License-Identifier: Apache-2.0
//
// Backups that are cut, cancelled, run at once, or find blobs gone: what was durable is not sent
// again, and the snapshot is whole in the end.
#include <atomic>
#include <thread>

#include "core/client/backup_fixture.h"

namespace cb::client {
namespace {

namespace fs = std::filesystem;
using repository::BlobKind;
using repository::must;

class ResumeTest : public BackupFixture {
 protected:
  void SetUp() override {
    for (unsigned i = 0; i < 120; ++i)
      write("s/" + std::to_string(100 + i), random_bytes(200 + 61 * i, i));
    write("m/big", random_bytes(1'500'000, 1000));
    for (unsigned i = 0; i < 40; ++i)
      write("t/" + std::to_string(100 + i), random_bytes(1500, 2000 + i));
  }

  // Connections of which each breaks after so many puts.
  void cut_each_after(uint64_t puts) {
    connect_ = [this, puts]() -> Result<std::shared_ptr<repository::Remote>> {
      return std::make_shared<MemoryRemote>(repository_, puts);
    };
  }

  // The network is gone after the first connection.
  void cut_for_good_after(uint64_t puts) {
    connections_ = 0;
    connect_ = [this, puts]() -> Result<std::shared_ptr<repository::Remote>> {
      if (connections_ > 1) return failed(Code::timeout, "server", "does not answer");
      return std::make_shared<MemoryRemote>(repository_, puts);
    };
  }

  void heal() {
    connect_ = [this] { return std::make_shared<MemoryRemote>(repository_); };
  }

  void lose(const repository::BlobId& id) { ASSERT_EQ(repository_.blobs.erase(id), 1u); }
};

TEST_F(ResumeTest, a_connection_that_breaks_again_and_again_is_outlived) {
  for (const uint64_t puts : {6, 9, 20, 50}) {
    SCOPED_TRACE(puts);
    repository_.blobs.clear();
    fs::remove_all(folder_ / "cache");
    cut_each_after(puts);
    connections_ = 0;
    const BackupResult result = backup();
    EXPECT_GT(connections_, 1);
    expect_equal(result);
    EXPECT_EQ(repository_.sent_again, 0u);
  }
}

TEST_F(ResumeTest, a_big_file_goes_on_where_the_last_connection_got_to) {
  const Bytes big = random_bytes(6'000'000, 3000);
  write("m/big", big);
  cut_each_after(30);
  const BackupResult result = backup();
  EXPECT_GT(connections_, 4);
  // At most what was under way when each connection broke is read again.
  EXPECT_LT(result.counts.bytes_read, 2 * big.size());
  expect_equal(result);
  EXPECT_EQ(repository_.sent_again, 0u);
}

TEST_F(ResumeTest, a_big_file_that_changed_between_two_connections_is_read_from_its_beginning) {
  write("m/big", random_bytes(6'000'000, 3000));
  cut_each_after(60);
  const auto connect = connect_;
  connect_ = [this, connect]() -> Result<std::shared_ptr<repository::Remote>> {
    if (connections_ == 4) write("m/big", random_bytes(6'000'000, 3001));
    return connect();
  };
  const BackupResult result = backup();
  EXPECT_GT(connections_, 4);
  expect_equal(result);
}

TEST_F(ResumeTest, keys_that_are_rotated_meanwhile_begin_another_session) {
  for (const uint64_t at : {0, 10, 40}) {
    SCOPED_TRACE(at);
    repository_.blobs.clear();
    repository_.puts = 0;
    fs::remove_all(folder_ / "cache");
    repository_.rotate_at = at;
    connections_ = 0;
    const uint32_t before = repository_.record.epochs.back().number;
    const BackupResult result = backup();
    EXPECT_EQ(repository_.record.epochs.back().number, before + 1);
    EXPECT_EQ(connections_, 3) << "one to back up, one to look, one to back up again";
    size_t newest = 0;
    for (const auto& [id, blob] : repository_.blobs)
      if (blob.head.kind == repository::BlobKind::session &&
          must(repository::decode_session(blob.stored)).epoch == before + 1)
        ++newest;
    EXPECT_EQ(newest, 1u);
    EXPECT_FALSE(result.snapshot.is_zero());
  }
}

TEST_F(ResumeTest, whenever_it_is_cut_the_next_run_goes_on) {
  for (uint64_t puts = 1; puts < 60; puts += 3) {
    SCOPED_TRACE(puts);
    repository_.blobs.clear();
    repository_.commits.clear();
    fs::remove_all(folder_ / "cache");
    cut_for_good_after(puts);
    const auto first = try_backup(request());
    ASSERT_EQ(repository::code_of(first), Code::timeout);
    EXPECT_TRUE(repository_.commits.empty());
    heal();
    const BackupResult second = backup();
    expect_equal(second);
    EXPECT_EQ(repository_.sent_again, 0u);
  }
}

TEST_F(ResumeTest, what_was_durable_is_not_read_again) {
  cut_for_good_after(100);
  ASSERT_FALSE(try_backup(request()));
  heal();
  const BackupResult second = backup();
  EXPECT_GT(second.counts.files_unchanged, 20u);
  expect_equal(second);
  for (const auto& file : fs::directory_iterator(folder_ / "cache"))
    EXPECT_TRUE(file.path().extension().empty() || file.path().extension() == ".lock");
}

TEST_F(ResumeTest, interrupted_twice_keeps_what_both_runs_did) {
  cut_for_good_after(100);
  ASSERT_FALSE(try_backup(request()));
  cut_for_good_after(3);
  ASSERT_FALSE(try_backup(request()));
  heal();
  const BackupResult third = backup();
  EXPECT_GT(third.counts.files_unchanged, 20u);
  expect_equal(third);
  EXPECT_EQ(repository_.sent_again, 0u);
}

TEST_F(ResumeTest, a_server_that_takes_nothing_is_given_up) {
  cut_each_after(0);
  EXPECT_EQ(repository::code_of(try_backup(request())), Code::closed);
  EXPECT_LT(connections_, 10);
}

TEST_F(ResumeTest, an_answer_that_is_lost_makes_no_second_snapshot) {
  auto remote = std::make_shared<MemoryRemote>(repository_);
  remote->lose_answer = true;
  connect_ = [&]() -> Result<std::shared_ptr<repository::Remote>> {
    if (connections_ == 1) return remote;
    return std::make_shared<MemoryRemote>(repository_);
  };
  expect_equal(backup());
  EXPECT_EQ(connections_, 2);
  EXPECT_EQ(repository_.commits.size(), 1u);
}

TEST_F(ResumeTest, blobs_that_were_collected_are_made_again) {
  const BackupResult first = backup();
  lose(entry(first, "s/150").extents[0].blob);
  const auto big = entry(first, "m/big");
  std::vector<repository::BlobId> blobs;
  ASSERT_TRUE(repository::for_each_extent(big, nodes(), [&](const repository::Extent& extent) {
    blobs.push_back(extent.blob);
    return Status{};
  }));
  ASSERT_GT(blobs.size(), repository::kInlineExtents);
  lose(blobs[40]);
  lose(first.commit.root);
  const BackupResult second = backup();
  expect_equal(second);
  EXPECT_EQ(repository_.sent_again, 0u);
  EXPECT_GT(second.counts.files_unchanged, 50u);
  EXPECT_LT(second.counts.files_unchanged, 160u);
  EXPECT_EQ(repository_.commits.size(), 2u);
  backup();
  EXPECT_EQ(reads_.size(), 0u);
}

TEST_F(ResumeTest, checkpoints_can_be_restored_and_are_followed_by_the_whole) {
  clock_.tick = std::chrono::milliseconds(10);
  BackupRequest often = request();
  often.checkpoint_every = std::chrono::milliseconds(300);
  const BackupResult result = must(try_backup(often));
  ASSERT_GE(repository_.commits.size(), 3u);
  uint64_t files = 0;
  for (const auto& commit : repository_.commits) {
    EXPECT_GE(commit.files, files);
    files = commit.files;
    const bool last = commit.snapshot == result.snapshot;
    EXPECT_EQ(commit.flags, last ? 0 : repository::kSnapshotCheckpoint);
    uint64_t found = 0;
    for (const auto& [path, entry] : entries(commit.root)) {
      if (entry.kind != repository::EntryKind::file) continue;
      ++found;
      EXPECT_TRUE(content(entry) == disk("/" + path));
    }
    EXPECT_EQ(found, commit.files);
  }
  expect_equal(result);
  EXPECT_EQ(repository_.sent_again, 0u);
}

TEST_F(ResumeTest, cancelling_ends_it_and_keeps_what_is_there) {
  Backup backup_to_cancel(parts());
  std::atomic<int> reads = 0;
  fault_ = [&](const std::string& call, const std::string&) {
    if (call == "read_at" && ++reads == 100) backup_to_cancel.cancel();
    return 0;
  };
  const auto result = backup_to_cancel.run(request());
  EXPECT_EQ(repository::code_of(result), Code::cancelled);
  EXPECT_TRUE(repository_.commits.empty());
  fault_ = {};
  expect_equal(backup());
  EXPECT_EQ(repository_.sent_again, 0u);
}

TEST_F(ResumeTest, the_same_paths_are_not_backed_up_twice_at_once) {
  std::optional<Code> inner;
  std::atomic<bool> once = false;
  fault_ = [&](const std::string& call, const std::string&) {
    if (call == "read_at" && !once.exchange(true)) {
      Backup second(parts());
      inner = repository::code_of(second.run(request()));
    }
    return 0;
  };
  backup();
  EXPECT_EQ(inner, Code::busy);
}

TEST_F(ResumeTest, two_backups_at_once_into_one_repository_are_both_whole) {
  auto other_parts = parts();
  other_parts.cache_folder = folder_ / "other-cache";
  std::optional<Result<BackupResult>> other;
  std::thread second([&] {
    Backup run(other_parts);
    other.emplace(run.run(request()));
  });
  const BackupResult mine = backup();
  second.join();
  expect_equal(mine);
  expect_equal(must(std::move(*other)));
  EXPECT_EQ(repository_.commits.size(), 2u);
}

}  // namespace
}  // namespace cb::client
