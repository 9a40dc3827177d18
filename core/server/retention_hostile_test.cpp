// SPDX-License-Identifier: Apache-2.0
//
// What a hostile device may try with retention, the trash and the clock, each attack by its name.
// None of them removes, hides or blocks a snapshot of somebody else, or one from before.
#include "core/server/retention_fixture.h"

namespace cb::server {
namespace {

using repository::BlobId;
using repository::CommitRequest;
using retention::kDay;
using retention::kYear;

class HostileDevice : public RetentionHouse {
 protected:
  HostileDevice() {
    set_rules("keep-daily 7, keep-weekly 4, trash-stay 2d");
    good_ = commit_days(0, 6);
    set_day(5, 4);
  }
  void expect_good() {
    for (const BlobId& id : good_) EXPECT_TRUE(is_listed(id)) << id.hex();
  }
  // What an intake makes of a request, with all its blobs.
  repository::CommitAnswer send(const CommitRequest& asked, const repository::Viewer& device) {
    const auto intake = must(engine().begin(repository_, device, false));
    return must(intake->commit(asked));
  }
  // The same, with the blobs of the last request().
  BlobId commit_as(const CommitRequest& asked) {
    const auto intake = must(engine().begin(repository_, owner_, false));
    for (const repository::StoredBlob& blob : made_.blobs)
      must(repository::put_blob(*intake, blob));
    EXPECT_TRUE(must(intake->commit(asked)).missing.empty());
    return asked.snapshot;
  }
  repository::CommitRecord record_of(const BlobId& id) {
    for (const auto& info : must(engine().snapshots(repository_, true)))
      if (info.commit.snapshot == id) return info.commit;
    ADD_FAILURE() << "no such snapshot";
    return {};
  }

  std::vector<BlobId> good_;
};

TEST_F(HostileDevice, a_flood_within_one_day_takes_the_place_of_no_older_one) {
  for (int i = 0; i < 40; ++i) {
    set_time(5 * kDay + 5 * retention::kHour + i);
    commit();
  }
  EXPECT_FALSE(run().asks);
  expect_good();
}

TEST_F(HostileDevice, floods_around_midnight_count_as_two_days) {
  for (int i = -20; i < 20; ++i) {
    set_time(6 * kDay + i);
    commit();
  }
  run();
  expect_good();
  EXPECT_EQ(listed().size(), good_.size() + 2);  // the first after midnight, and the newest
}

TEST_F(HostileDevice, a_flood_of_checkpoints_fills_no_bucket) {
  for (int day = 6; day < 40; ++day) {
    set_day(day);
    commit({1, true});
  }
  EXPECT_FALSE(run().asks);
  expect_good();
}

TEST_F(HostileDevice, a_whole_snapshot_that_says_it_is_a_checkpoint_hides_only_itself) {
  set_day(6);
  commit({1, true});
  set_day(9);
  commit();
  run();
  expect_good();
}

TEST_F(HostileDevice, the_hash_of_another_device_s_source_makes_another_source) {
  for (int day = 6; day < 30; ++day) {
    set_day(day);
    commit({1}, writer_);
  }
  run();
  expect_good();
}

TEST_F(HostileDevice, invented_sources_touch_no_other) {
  for (uint8_t source = 2; source < 40; ++source) commit({source}, writer_);
  EXPECT_FALSE(run().asks);
  expect_good();
}

TEST_F(HostileDevice, tags_that_rules_keep_save_only_what_bears_them) {
  set_rules("keep-daily 7, keep-tag " + std::string(64, '9') + ", trash-stay 7d");
  for (int i = 0; i < 20; ++i) commit({1, false, {0x99, 0x11}});
  run();
  expect_good();
}

TEST_F(HostileDevice, a_date_of_its_own_is_neither_before_the_chain_nor_after_now) {
  for (const int64_t made : {kBegin - kYear, now_ + kYear}) {
    CommitRequest asked = request({});
    asked.made_ns = made;
    const BlobId id = commit_as(asked);
    EXPECT_GE(record_of(id).time_ns, record_of(good_.back()).time_ns);
    EXPECT_LE(record_of(id).time_ns, now_);
  }
  run();
  expect_good();
}

TEST_F(HostileDevice, a_writer_s_forget_moves_nothing) {
  for (const BlobId& id : good_) must(engine().forget(repository_, id, writer_.device));
  run();
  set_day(20);
  run();
  expect_good();
}

TEST_F(HostileDevice, a_writer_s_undelete_brings_nothing_back) {
  must(engine().forget(repository_, good_[0], owner_.device));
  must(engine().undelete(repository_, good_[0], writer_.device));
  EXPECT_FALSE(is_listed(good_[0]));
  set_day(8);
  run();
  EXPECT_FALSE(is_listed(good_[0], true));
}

TEST_F(HostileDevice, a_flood_of_wishes_neither_shortens_nor_lengthens_the_stay) {
  must(engine().forget(repository_, good_[0], owner_.device));
  for (int i = 0; i < 50; ++i) {
    set_time(6 * kDay + i);
    must(engine().undelete(repository_, good_[0], writer_.device));
    must(engine().forget(repository_, good_[0], writer_.device));
  }
  set_day(7, 3);
  run();
  EXPECT_TRUE(is_listed(good_[0], true));
  set_day(7, 5);
  run();
  EXPECT_FALSE(is_listed(good_[0], true));
}

TEST_F(HostileDevice, committing_an_old_id_again_changes_nothing_of_it) {
  const repository::CommitRecord before = record_of(good_[0]);
  CommitRequest again;
  again.snapshot = before.snapshot;
  again.root = before.root;
  again.commit_id.bytes.fill(std::byte{0xab});
  again.flags = repository::kSnapshotCheckpoint;
  set_day(6);
  send(again, writer_);
  EXPECT_EQ(record_of(good_[0]), before);
}

TEST_F(HostileDevice, committing_an_id_from_the_trash_does_not_restart_its_stay) {
  must(engine().forget(repository_, good_[0], owner_.device));
  const repository::CommitRecord before = record_of(good_[0]);
  CommitRequest again;
  again.snapshot = before.snapshot;
  again.root = before.root;
  again.commit_id.bytes.fill(std::byte{0xab});
  set_day(6);
  send(again, writer_);
  EXPECT_FALSE(is_listed(good_[0]));
  set_day(8);
  run();
  EXPECT_FALSE(is_listed(good_[0], true));
}

TEST_F(HostileDevice, committing_a_removed_id_again_makes_a_new_snapshot_behind_the_others) {
  const repository::CommitRecord before = record_of(good_[0]);
  must(engine().forget(repository_, good_[0], owner_.device));
  must(engine().remove(repository_, good_[0]));
  CommitRequest again;
  again.snapshot = before.snapshot;
  again.root = before.root;
  again.source = before.source;
  again.commit_id.bytes.fill(std::byte{0xab});
  set_day(6);
  send(again, owner_);
  EXPECT_EQ(record_of(good_[0]).time_ns, now_);
  run();
  expect_good();
}

TEST_F(HostileDevice, snapshots_that_came_while_the_clock_was_ahead_push_none_out) {
  set_time(3 * kYear);
  for (int i = 0; i < 30; ++i) {
    set_time(3 * kYear + i * kDay);
    commit();
  }
  set_day(6);
  EXPECT_FALSE(run().asks);
  expect_good();
}

TEST_F(HostileDevice, a_run_while_the_clock_is_ahead_takes_nothing_by_counts) {
  set_time(20 * kYear);
  run();
  set_day(6);
  expect_good();
}

TEST_F(HostileDevice, a_clock_that_is_ahead_does_not_empty_a_full_trash_unasked) {
  for (const BlobId& id : good_) must(engine().forget(repository_, id, owner_.device));
  set_time(20 * kYear);
  EXPECT_TRUE(run().asks);
  set_day(6);
  for (const BlobId& id : good_) must(engine().undelete(repository_, id, owner_.device));
  expect_good();
}

TEST_F(HostileDevice, a_clock_that_is_set_back_lets_nothing_be_removed_early) {
  must(engine().forget(repository_, good_[0], owner_.device));
  set_day(-300);
  run();
  EXPECT_TRUE(is_listed(good_[0], true));
  EXPECT_EQ(repository::code_of(engine().remove(repository_, good_[1])), Code::state);
}

TEST_F(HostileDevice, a_flood_does_not_dilute_the_share_that_may_go) {
  for (int i = 0; i < 60; ++i) {
    set_time(5 * kDay + 6 * retention::kHour + i);
    commit();
  }
  set_rules("keep-last 1, trash-stay 7d");
  EXPECT_TRUE(run().asks);
  expect_good();
}

TEST_F(HostileDevice, a_flood_does_not_block_retention_by_making_it_ask) {
  for (int i = 0; i < 60; ++i) {
    set_time(5 * kDay + 6 * retention::kHour + i);
    commit();
  }
  EXPECT_FALSE(run().asks);
  EXPECT_EQ(listed().size(), good_.size() + 1);
}

TEST_F(HostileDevice, an_owner_s_device_that_forgets_all_does_not_get_them_removed) {
  for (const BlobId& id : good_) must(engine().forget(repository_, id, owner_.device));
  set_day(300);
  EXPECT_TRUE(run().asks);
  for (const BlobId& id : good_) must(engine().undelete(repository_, id, owner_.device));
  expect_good();
}

TEST_F(HostileDevice, an_owner_s_device_that_sets_greedy_rules_is_asked_about) {
  for (const char* rules :
       {"keep-last 1", "keep-last 1, cadence 365d", "keep-last 1, cadence 1m", "keep-yearly 1"}) {
    must(book_->set_rules(repository_, {}, must(retention::parse_rules(rules)),
                          "device " + owner_.device.hex()));
    EXPECT_TRUE(run().asks) << rules;
    expect_good();
  }
}

TEST_F(HostileDevice, an_owner_s_device_that_shortens_the_stay_waits_for_a_person) {
  const auto change = must(
      book_->set_rules(repository_, {}, retention::parse_rules("keep-all, trash-stay 1h").value(),
                       "device " + owner_.device.hex()));
  ASSERT_TRUE(change.request);
  EXPECT_EQ(change.now.rules.trash_stay_ns, 2 * kDay);
  EXPECT_EQ(repository::code_of(book_->approve(*change.request, "device " + owner_.device.hex())),
            Code::denied);
}

TEST_F(HostileDevice, a_flood_of_forgets_and_undeletes_restarts_the_stay_and_never_shortens_it) {
  for (int i = 0; i < 20; ++i) {
    set_time(6 * kDay + i * retention::kHour);
    must(engine().forget(repository_, good_[0], owner_.device));
    must(engine().undelete(repository_, good_[0], owner_.device));
  }
  must(engine().forget(repository_, good_[0], owner_.device));
  const int64_t since = now_;
  set_time(since - kBegin + 2 * kDay - 1);
  run();
  EXPECT_TRUE(is_listed(good_[0], true));
}

TEST_F(HostileDevice, junk_for_a_month_takes_older_ones_no_earlier_than_honest_backups_do) {
  // The honest source sends one a day, the hostile one many at odd times; what is left of the days
  // before is the same.
  std::vector<BlobId> honest = commit_days(6, 12, {2}), hostile = commit_days(12, 18, {3});
  for (int day = 18; day < 30; ++day) {
    set_day(day);
    commit({2});
    for (int i = 0; i < 5; ++i) commit({3, i == 2});
    set_day(day, 1);
    run();
    size_t left_honest = 0, left_hostile = 0;
    for (const BlobId& id : honest) left_honest += is_listed(id) ? 1 : 0;
    for (const BlobId& id : hostile) left_hostile += is_listed(id) ? 1 : 0;
    EXPECT_GE(left_hostile, left_honest);
  }
}

}  // namespace
}  // namespace cb::server
