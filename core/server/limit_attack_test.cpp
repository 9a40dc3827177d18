// SPDX-License-Identifier: Apache-2.0
//
// Devices that want more than they may, each by another way. None gets it, and none takes anything
// from the others.
#include <thread>

#include "core/server/limit_fixture.h"

namespace cb::server {
namespace {

using repository::StoredBlob;

class LimitAttack : public LimitHouse {
 protected:
  static constexpr uint64_t kQuota = 300'000;

  LimitAttack() { limit_account(kQuota); }

  void limit_devices(uint64_t stored) {
    LimitDefaults defaults;
    defaults.account.stored = kQuota;
    defaults.device.stored = stored;
    set_defaults(defaults);
  }
  void expect_kept() {
    EXPECT_LE(on_disk(), kQuota);
    EXPECT_EQ(stored(), on_disk());
  }
};

TEST_F(LimitAttack, attack_1_many_sessions_at_once_exceed_nothing_together) {
  std::vector<std::unique_ptr<Intake>> intakes;
  for (int i = 0; i < 16; ++i) intakes.push_back(begin(mine_));
  size_t came = 0;
  for (uint64_t i = 0; i < intakes.size(); ++i) came += fill(*intakes[i], 1000 * i, 20);
  EXPECT_LT(came, 100U);
  intakes.clear();
  expect_kept();
}

TEST_F(LimitAttack, attack_2_puts_that_race_in_parallel_sessions_exceed_nothing) {
  std::vector<std::thread> racers;
  std::atomic<size_t> refused = 0;
  for (uint64_t i = 0; i < 4; ++i)
    racers.emplace_back([this, i, &refused] {
      for (uint64_t round = 0; round < 5; ++round) {
        const auto intake = begin(i % 2 == 0 ? mine_ : theirs_);
        Status last;
        fill(*intake, 100'000 * i + 1000 * round, 30, 3000, &last);
        refused += last ? 0 : 1;
      }
    });
  for (std::thread& racer : racers) racer.join();
  EXPECT_GT(refused, 0U);
  expect_kept();
}

TEST_F(LimitAttack, attack_3_void_records_of_blobs_that_were_cut_off_count) {
  Status refused;
  for (uint64_t round = 0; refused && round < 1000; ++round) {
    const auto intake = begin(mine_);
    refused = repository::put_blob(*intake, repository::session_record(round + 1));
    const StoredBlob blob = repository::make_blob(BlobKind::data, round, 9000, {}, round + 1);
    if (refused)
      refused = repository::put_blob(
          *intake, repository::make_blob(BlobKind::data, 5000 + round, 10, {}, round + 1));
    if (refused) refused = intake->begin(blob.head);
    if (refused) must(intake->content(ByteView(blob.stored).first(8999)));
    intake->cut();
  }
  expect_limit(refused);
  EXPECT_GT(on_disk(), kQuota / 2) << "they were stored, and counted";
  expect_kept();
}

TEST_F(LimitAttack, attack_4_a_lie_about_the_size_of_a_snapshot_changes_no_limit) {
  for (const uint64_t said : {uint64_t{0}, uint64_t{1} << 60}) {
    const auto intake = begin(mine_);
    auto snapshot = repository::make_snapshot(said == 0 ? 1 : 2, 20, 1000);
    snapshot.request.bytes = said;
    for (const StoredBlob& blob : snapshot.blobs) must(repository::put_blob(*intake, blob));
    ASSERT_TRUE(must(intake->commit(snapshot.request)).missing.empty());
    expect_kept();
  }
  const QuotaUse use = must(book_->describe(account_)).use;
  EXPECT_FALSE(use.is_over);
  EXPECT_GT(use.stored, 40'000U);
}

TEST_F(LimitAttack, attack_5_checkpoints_without_end_fill_no_more_than_the_quota) {
  Status refused;
  for (uint64_t number = 1; refused && number < 5000; ++number) {
    const auto intake = begin(mine_);
    auto snapshot = repository::make_snapshot(number, 1, 10);
    snapshot.request.flags = repository::kSnapshotCheckpoint;
    snapshot.request.tags.resize(200);  // make the record long, and lie in no pack
    for (const StoredBlob& blob : snapshot.blobs)
      if (refused) refused = repository::put_blob(*intake, blob);
    if (!refused) break;
    const auto committed = intake->commit(snapshot.request);
    if (!committed) refused = tl::unexpected<Error>(committed.error());
  }
  expect_limit(refused);
  expect_kept();
}

TEST_F(LimitAttack, attack_6_a_device_that_fills_its_share_starves_no_other) {
  limit_devices(100'000);
  const auto greedy = begin(mine_);
  Status refused;
  fill(*greedy, 1, 1000, 3000, &refused);
  expect_limit(refused);
  EXPECT_NE(refused.error().object.find("device " + mine_.device.hex()), std::string::npos);
  EXPECT_EQ(fill(*begin(theirs_), 10'000, 25), 25U);
  EXPECT_LE(stored_by(mine_), 100'000U);
}

TEST_F(LimitAttack, attack_7_blobs_that_name_another_devices_session_count_for_who_puts_them) {
  {
    const auto intake = begin(theirs_);
    must(repository::put_blob(*intake, repository::session_record(1)));
    must(repository::put_blob(*intake, repository::make_blob(BlobKind::data, 1, 1000)));
  }
  const uint64_t before = stored_by(theirs_);
  EXPECT_EQ(fill(*begin(mine_), 100, 20), 20U);  // of session 1, too
  EXPECT_EQ(stored_by(theirs_), before);
  EXPECT_GT(stored_by(mine_), 60'000U);
}

TEST_F(LimitAttack, attack_8_the_servers_own_compaction_uses_up_nobodys_quota) {
  std::vector<repository::TestSnapshot> snapshots;
  for (uint64_t number = 1; number <= 10; ++number) {
    const auto intake = begin(number % 2 == 0 ? mine_ : theirs_);
    snapshots.push_back(repository::make_snapshot(number, 10, 1000));
    for (const StoredBlob& blob : snapshots.back().blobs) must(repository::put_blob(*intake, blob));
    ASSERT_TRUE(must(intake->commit(snapshots.back().request)).missing.empty());
  }
  const uint64_t mine = stored_by(mine_), theirs = stored_by(theirs_);
  repository::Engine::CompactOptions options;
  const auto compacted = must(engine().compact(repository_, options, {}));
  ASSERT_GT(compacted.packs, 0U);
  EXPECT_LE(stored_by(mine_), mine);
  EXPECT_LE(stored_by(theirs_), theirs);
  EXPECT_GT(stored_by(mine_), mine / 2) << "and nobody's counts for nobody";
  EXPECT_GT(stored_by(theirs_), theirs / 2);
}

TEST_F(LimitAttack, attack_9_forgets_and_undeletes_in_turn_are_counted) {
  const auto snapshot = repository::make_snapshot(1, 2, 100);
  {
    const auto intake = begin(mine_);
    for (const StoredBlob& blob : snapshot.blobs) must(repository::put_blob(*intake, blob));
    must(intake->commit(snapshot.request));
  }
  const uint64_t before = stored_by(mine_);
  for (int i = 0; i < 50; ++i) {
    must(engine().forget(repository_, snapshot.request.snapshot, mine_.device));
    must(engine().undelete(repository_, snapshot.request.snapshot, mine_.device));
  }
  EXPECT_GT(stored_by(mine_), before + 100 * 200U);
  EXPECT_EQ(stored(), on_disk());
}

TEST_F(LimitAttack, attack_10_an_intake_that_holds_its_pack_open_cannot_be_outrun) {
  const auto holder = begin(mine_);
  const size_t held = fill(*holder, 1, 80);  // in an open pack, of which the catalog knows nothing
  ASSERT_EQ(held, 80U);
  Status refused;
  fill(*begin(theirs_), 10'000, 80, 3000, &refused);
  expect_limit(refused);
  must(holder->flush());
  EXPECT_EQ(holder->durable(), held + 1);
  expect_kept();
}

}  // namespace
}  // namespace cb::server
