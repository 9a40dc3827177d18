// SPDX-License-Identifier: Apache-2.0
//
// What the server does about odd snapshots and about silence, over a real engine.
#include <gmock/gmock.h>

#include "core/server/watch_fixture.h"
#include "core/server/watch_store.h"

namespace cb::server {
namespace {

using repository::BlobId;
using repository::ChangeReport;
using retention::kDay;
using retention::kHour;
using testing::HasSubstr;

// A client that hides what it does.
constexpr ChangeReport kNothing = {64, 0, 0, 0, 0, 0, 0};

class WatchRansom : public WatchHouse, public testing::WithParamInterface<bool> {};

TEST_P(WatchRansom, is_an_anomaly_whether_the_client_is_honest_or_lies) {
  back_up_days(0, 10);
  set_day(10, 3);
  encrypt(kFiles);
  const BlobId odd = back_up(GetParam() ? honest(kFiles, 1.0) : kNothing);
  for (int run = 0; run < 5; ++run) watch();
  EXPECT_GE(newest().score, settings_.score_limit) << newest().reasons;
  EXPECT_TRUE(newest().is_odd);
  ASSERT_EQ(events_.all.size(), 1u) << "told once";
  const Event& event = events_.all.front();
  EXPECT_EQ(event.kind, event::kAnomaly);
  EXPECT_EQ(event.account, account_);
  EXPECT_EQ(event.severity, Severity::alarm);
  EXPECT_THAT(event.text, HasSubstr(odd.hex()));
  EXPECT_THAT(event.text, HasSubstr(last_normal_.hex()));
  EXPECT_TRUE(is_pinned(last_normal_));
  EXPECT_EQ(state().frozen_ns, now_ + settings_.freeze.count());
}
INSTANTIATE_TEST_SUITE_P(Client, WatchRansom, testing::Bool());

TEST_F(WatchHouse, a_claim_of_the_client_alone_is_enough) {
  back_up_days(0, 10);
  set_day(10, 3);
  change(2);
  ChangeReport report = honest(2);
  report.added = report.removed = report.renamed = 40;
  report.unchanged = 22;
  back_up(report);
  watch();
  EXPECT_TRUE(newest().is_odd);
  EXPECT_THAT(newest().reasons, HasSubstr("the client says"));
}

TEST_F(WatchHouse, ordinary_days_an_upgrade_and_checkpoints_are_none) {
  back_up_days(0, 10);
  set_day(10, 3);
  change(kFiles / 2);
  back_up(honest(kFiles / 2));
  watch();
  EXPECT_TRUE(newest().is_compared);
  EXPECT_LT(newest().score, settings_.score_limit) << newest().reasons;
  // A part of a backup that is under way lacks most of the files.
  set_day(10, 4);
  back_up({}, 1, repository::kSnapshotCheckpoint);
  watch();
  EXPECT_EQ(must(house_.catalog().sources().times(number(), key(owner_))).size(), 11u);
  EXPECT_TRUE(events_.all.empty());
}

TEST_F(WatchHouse, figures_are_what_the_server_sees) {
  set_day(0, 3);
  back_up();
  watch();
  EXPECT_FALSE(newest().is_compared);
  EXPECT_EQ(newest().figures.after_blobs, kFiles);
  EXPECT_EQ(newest().score, 0u) << "a first backup";
  set_day(1, 3);
  change(2);
  back_up();
  watch();
  const catalog::SourceFigures figures = newest().figures;
  EXPECT_EQ(figures.before_blobs, kFiles);
  EXPECT_EQ(figures.after_blobs, kFiles);
  EXPECT_EQ(figures.new_blobs, 2u);
  EXPECT_EQ(figures.gone_blobs, 2u);
  EXPECT_EQ(figures.new_nodes, 2u);  // a leaf and the root
  EXPECT_EQ(figures.after_nodes, 9u);
}

TEST_F(WatchHouse, a_frozen_source_loses_nothing_and_others_do) {
  set_rules("keep-last 1");
  most_removed_ = 100;
  for (int day = 0; day < 10; ++day) {
    back_up_days(day, day + 1);
    set_day(day, 5);
    commit({.source = 2});
  }
  set_day(10, 3);
  encrypt(kFiles);
  back_up(kNothing);
  watch();
  set_day(11, 3);
  run();
  size_t of_first = 0, of_second = 0;
  for (const auto& info : must(engine().snapshots(repository_, false)))
    ++(info.commit.source.bytes[0] == std::byte{1} ? of_first : of_second);
  EXPECT_EQ(of_first, 11u);
  EXPECT_EQ(of_second, 1u);
  ASSERT_EQ(must(watch_->release(number(), key(owner_))).size(), 1u);
  EXPECT_EQ(state().frozen_ns, 0);
  run();
  // The newest, and the one that is pinned.
  EXPECT_EQ(listed().size(), 1u + 2u);
  EXPECT_TRUE(is_listed(last_normal_));
}

TEST_F(WatchHouse, the_trash_of_a_frozen_source_is_not_emptied) {
  set_rules("keep-all");
  back_up_days(0, 10);
  const BlobId old = listed().front();
  must(engine().forget(repository_, old, {}));
  set_day(10, 3);
  encrypt(kFiles);
  back_up(kNothing);
  watch();
  set_day(20, 3);
  const JobResult frozen = run();
  EXPECT_TRUE(is_listed(old, true)) << frozen.summary;
  EXPECT_FALSE(must(book_->remove(repository_, old))) << "whoever asks";
  // It ends by itself.
  set_day(25, 3);
  watch();
  EXPECT_EQ(state().frozen_ns, 0);
  run();
  EXPECT_FALSE(is_listed(old, true));
}

TEST_F(WatchHouse, retention_looks_at_what_just_came_before_it_removes) {
  set_rules("keep-last 1");
  most_removed_ = 100;
  back_up_days(0, 10);
  set_day(10, 3);
  encrypt(kFiles);
  back_up(kNothing);
  const auto kinds = job_kinds(job_parts());
  JobCall call;
  call.asked_by = "schedule";
  must(kinds.front().run(call));
  EXPECT_EQ(listed().size(), 11u);
  EXPECT_EQ(events_.count(event::kAnomaly), 1u);
}

TEST_F(WatchHouse, a_longer_pin_of_a_person_stays_and_a_freeze_can_be_off) {
  settings_.freeze = {};
  begin();
  back_up_days(0, 10);
  must(book_->pin(repository_, last_normal_, 0, "for good", "uid 0 (root)"));
  set_day(10, 3);
  encrypt(kFiles);
  back_up(kNothing);
  watch();
  EXPECT_EQ(state().frozen_ns, 0);
  ASSERT_EQ(must(book_->pins(repository_)).size(), 1u);
  EXPECT_EQ(must(book_->pins(repository_)).front().reason, "for good");
  EXPECT_EQ(events_.count(event::kAnomaly), 1u);
}

TEST_F(WatchHouse, what_goes_on_while_it_is_frozen_keeps_the_first_normal_snapshot) {
  back_up_days(0, 10);
  const BlobId normal = last_normal_;
  for (int day = 10; day < 12; ++day) {
    set_day(day, 3);
    encrypt(day == 10 ? kFiles / 2 : kFiles);
    back_up(kNothing);
    watch();
  }
  EXPECT_EQ(state().normal, to_bytes(normal.view()));
}

TEST_F(WatchHouse, a_silence_is_told_once_over_restarts_and_once_when_it_is_over) {
  back_up_days(0, 12);
  // Until two days after the last one, a quarter of an hour at a time.
  for (int64_t at = 11 * kDay + 3 * kHour; at < 13 * kDay + 3 * kHour; at += kHour / 4) {
    set_time(at);
    watch();
    const bool is_late = at >= 12 * kDay + 9 * kHour;
    EXPECT_EQ(events_.count(event::kOverdue), is_late ? 1u : 0u) << at / kHour;
  }
  EXPECT_EQ(state().overdue_ns, kBegin + 12 * kDay + 9 * kHour);
  restart();
  for (int day = 13; day < 30; ++day) {
    set_day(day, 4);
    watch();
  }
  ASSERT_EQ(events_.count(event::kOverdue), 1u);
  EXPECT_THAT(events_.all.back().text, HasSubstr("watch set --account " + account_));
  set_day(30, 3);
  back_up();
  watch();
  watch();
  EXPECT_EQ(events_.count(event::kBack), 1u);
  EXPECT_EQ(events_.all.back().severity, Severity::info);
  EXPECT_EQ(state().overdue_ns, 0);
}

TEST_F(WatchHouse, what_a_person_says_of_a_source_counts_in_place_of_its_history) {
  set_day(0, 3);
  back_up();
  back_up({}, 2);
  watch();
  EXPECT_EQ(state().basis, "unknown");
  must(watch_->set_wish(number(), {}, {false, kDay, kHour}, "uid 0 (root)"));
  must(watch_->set_wish(number(), key(owner_, 2), {true, 0, 0}, "uid 0 (root)"));
  set_day(1, 5);
  watch();
  EXPECT_EQ(events_.count(event::kOverdue), 1u);
  EXPECT_NE(state(1).overdue_ns, 0);
  EXPECT_EQ(state(2).basis, "never");
  // Nobody came back: it is only not expected any more.
  must(watch_->remove_wish(number(), {}));
  watch();
  EXPECT_EQ(state(1).overdue_ns, 0);
  EXPECT_EQ(events_.count(event::kBack), 0u);
  EXPECT_FALSE(watch_->set_wish(number(), {}, {false, -1, 0}, ""));
}

TEST_F(WatchHouse, a_device_that_was_revoked_is_not_missed) {
  back_up_days(0, 12);
  must(house_.catalog().accounts().set_device_state(owner_.device.bytes,
                                                    catalog::DeviceState::revoked));
  set_day(20, 3);
  watch();
  EXPECT_EQ(events_.count(event::kOverdue), 0u);
}

TEST_F(WatchHouse, nothing_is_watched_when_it_is_off) {
  settings_.is_on = false;
  begin();
  set_day(0, 3);
  back_up(kNothing);
  watch();
  EXPECT_TRUE(must(watch_->sources(std::nullopt)).empty());
}

TEST_F(WatchHouse, a_history_that_is_read_for_the_first_time_raises_no_old_alarms) {
  settings_.is_on = false;
  begin();
  back_up_days(0, 10);
  set_day(10, 3);
  encrypt(kFiles);
  back_up();
  settings_.is_on = true;
  begin();
  set_day(40, 3);
  watch();
  EXPECT_EQ(events_.count(event::kAnomaly), 0u);
  EXPECT_EQ(state().frozen_ns, 0);
  EXPECT_EQ(must(house_.catalog().sources().times(number(), key(owner_))).size(), 11u);
}

TEST_F(WatchHouse, the_store_is_told_of_when_it_is_low_full_and_well_again) {
  uint64_t free = 500;
  JobParts parts = job_parts();
  parts.room = [&]() -> Result<StoreRoom> { return StoreRoom{1000, free, 10}; };
  for (const uint64_t now : {500, 40, 30, 5, 5, 30, 500, 500}) {
    free = now;
    watch_store(parts);
  }
  std::vector<std::string> kinds;
  for (const Event& one : events_.all) kinds.push_back(one.kind);
  EXPECT_EQ(kinds,
            (std::vector<std::string>{event::kStoreLow, event::kStoreFull, event::kStoreWell}));
}

TEST_F(WatchHouse, a_plugin_that_is_not_used_any_more_is_told_of_once) {
  std::string reason;
  JobParts parts = job_parts();
  parts.faults = [&]() -> std::vector<PluginFault> { return {{"store-fs", reason}}; };
  watch_store(parts);
  EXPECT_TRUE(events_.all.empty());
  reason = "threw an exception";
  watch_store(parts);
  watch_store(parts);
  ASSERT_EQ(events_.count(event::kStoreFault), 1u);
  EXPECT_THAT(events_.all.front().text, HasSubstr(reason));
}

}  // namespace
}  // namespace cb::server
