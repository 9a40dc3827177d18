// SPDX-License-Identifier: Apache-2.0
//
// Backups into the engine of the server, with real packs and a real catalog.
#include <thread>

#include "core/client/backup_fixture.h"
#include "core/repository/engine_fixture.h"
#include "core/repository/local_remote.h"

namespace cb::client {
namespace {

using repository::must;

class BackupEngineTest : public BackupFixture {
 protected:
  void SetUp() override {
    catalog::Account account;
    account.name = "account";
    must(house_.catalog().accounts().add_account(account));
    must(house_.engine().create(fresh_.record, account.name));
    connect_ = [this] { return local(); };
    for (unsigned i = 0; i < 200; ++i)
      write("s/" + std::to_string(100 + i), random_bytes(200 + 61 * i, i));
    write("m/big", random_bytes(3'000'000, 1000));
    write("m/text", text(200'000));
  }

  Result<std::shared_ptr<repository::Remote>> local() {
    return repository::make_local_remote(house_.engine(), fresh_.record.id, parts().device);
  }

  repository::StoredBlob stored(const repository::BlobId& id) override {
    repository::StoredBlob found;
    const auto remote = must(local());
    must(remote->get(std::span(&id, 1), [&](repository::StoredBlob blob) -> Status {
      found = std::move(blob);
      return {};
    }));
    return found;
  }

  uint64_t stored_bytes() { return must(house_.engine().counts(fresh_.record.id)).stored_bytes; }

  repository::EngineHouse house_;
};

TEST_F(BackupEngineTest, what_goes_in_comes_out_and_is_stored_once) {
  expect_equal(backup());
  const uint64_t first = stored_bytes();
  const BackupResult second = backup();
  EXPECT_EQ(reads_.size(), 0u);
  EXPECT_LT(second.counts.bytes_sent, 64u * 1024);
  EXPECT_LT(stored_bytes() - first, 64u * 1024);
  expect_equal(second);
  EXPECT_EQ(second.commit.sequence, 2u);
  EXPECT_EQ(must(house_.engine().snapshots(fresh_.record.id, false)).size(), 2u);
}

TEST_F(BackupEngineTest, two_clients_at_once_store_the_same_data_once) {
  auto other_parts = parts();
  other_parts.cache_folder = folder_ / "other-cache";
  other_parts.connect = [this] { return local(); };
  std::optional<Result<BackupResult>> other;
  std::thread second([&] {
    Backup run(other_parts);
    other.emplace(run.run(request()));
  });
  const BackupResult mine = backup();
  second.join();
  const BackupResult theirs = must(std::move(*other));
  expect_equal(mine);
  expect_equal(theirs);
  EXPECT_NE(mine.snapshot, theirs.snapshot);
}

TEST_F(BackupEngineTest, a_snapshot_names_the_newest_commit_that_its_device_knew) {
  const auto head_in = [this](const BackupResult& result) {
    const auto record = must(repository::decode_snapshot(open(result.snapshot).plain));
    return ChainPlace{record.head_sequence, record.head_hash};
  };
  const auto run = [this](const ChainPlace& known) {
    auto with = parts();
    with.head = [known]() -> Result<ChainPlace> { return known; };
    return must(Backup(with).run(request()));
  };
  const BackupResult first = run({});
  EXPECT_EQ(head_in(first), ChainPlace());
  const ChainPlace place = place_of(first.commit, first.receipt);
  EXPECT_EQ(head_in(run(place)), place);
}

TEST_F(BackupEngineTest, checkpoints_and_the_whole_are_committed_in_turn) {
  clock_.tick = std::chrono::milliseconds(10);
  BackupRequest often = request();
  often.checkpoint_every = std::chrono::milliseconds(500);
  const BackupResult result = must(try_backup(often));
  expect_equal(result);
  const auto snapshots = must(house_.engine().snapshots(fresh_.record.id, false));
  ASSERT_GE(snapshots.size(), 2u);
  EXPECT_EQ(snapshots.front().commit.flags, repository::kSnapshotCheckpoint);
  EXPECT_EQ(snapshots.back().commit.snapshot, result.snapshot);
  const auto checked = must(house_.engine().check(fresh_.record.id, true, {}));
  EXPECT_TRUE(checked.findings.empty());
}

}  // namespace
}  // namespace cb::client
