// SPDX-License-Identifier: Apache-2.0
//
// The watch when something else goes wrong, too: a catalog that cannot be written, a crash in
// between, and writers that mean harm.
#include <gmock/gmock.h>

#include "core/catalog/statement.h"
#include "core/server/watch_fixture.h"

namespace cb::server {
namespace {

using repository::ChangeReport;
using retention::kDay;
using retention::kHour;
using testing::HasSubstr;

constexpr ChangeReport kSaysNothing = {64, 0, 0, 0, 0, 0, 0};

class WatchTrouble : public WatchHouse {
 protected:
  // What begins like this in the catalog fails from now on: "INSERT ON pin".
  void spoil(const std::string& what) {
    const std::string sql = "CREATE TRIGGER spoilt BEFORE " + what +
                            " BEGIN SELECT RAISE(ABORT, 'no room for this'); END";
    must(connection().execute(sql.c_str()));
  }
  void mend() { must(connection().execute("DROP TRIGGER spoilt")); }
  catalog::Connection& connection() {
    if (!connection_) connection_ = must(catalog::Connection::open(house_.catalog_file(), 5000));
    return *connection_;
  }
  // A second account with a source that comes every day, until this one.
  int64_t add_second(int days) {
    const auto second = house_.create(2);
    const int64_t number = must(house_.catalog().index().repository(second.bytes))->number;
    for (int day = 0; day < days; ++day) {
      catalog::SourceBackup backup;
      backup.sequence = static_cast<uint64_t>(day) + 1;
      backup.source = key(owner_, 9);
      backup.time_ns = kBegin + day * kDay;
      must(house_.catalog().sources().add_backup(number, backup, 99));
    }
    catalog::SourceState state;
    state.source = key(owner_, 9);
    must(house_.catalog().sources().set_state(number, state));
    return number;
  }

 private:
  std::unique_ptr<catalog::Connection> connection_;
};

TEST_F(WatchTrouble, an_anomaly_is_told_once_though_what_follows_it_cannot_be_written) {
  back_up_days(0, 10);
  spoil("INSERT ON pin");
  set_day(10, 3);
  encrypt(kFiles);
  back_up(kSaysNothing);
  for (int run = 0; run < 4; ++run) {
    const auto ended = try_watch();
    ASSERT_FALSE(ended) << "the job says so";
    EXPECT_THAT(ended.error().object, HasSubstr(account_));
  }
  ASSERT_EQ(events_.count(event::kAnomaly), 1u);
  EXPECT_THAT(events_.all.back().text, HasSubstr("Not all of this could be written"));
  EXPECT_GT(state().frozen_ns, now_) << "what can be done is";
  mend();
  restart();
  watch();
  EXPECT_TRUE(is_pinned(last_normal_));
  EXPECT_TRUE(newest().is_odd);
  EXPECT_EQ(events_.count(event::kAnomaly), 1u);
}

TEST_F(WatchTrouble, an_accounts_trouble_hides_neither_another_ones_silence_nor_a_full_store) {
  back_up_days(0, 10);
  const int64_t second = add_second(12);
  spoil("INSERT ON pin");
  set_day(14, 3);
  encrypt(kFiles);
  back_up(kSaysNothing);
  JobParts parts = job_parts();
  parts.room = []() -> Result<StoreRoom> { return StoreRoom{1000, 5, 10}; };
  JobCall call;
  EXPECT_FALSE(watch_job(parts).run(call));
  EXPECT_EQ(events_.count(event::kStoreFull), 1u);
  EXPECT_EQ(events_.count(event::kOverdue), 1u);
  EXPECT_NE(must(house_.catalog().sources().states(second)).front().overdue_ns, 0);
}

TEST_F(WatchTrouble, what_cannot_be_kept_hides_neither_other_sources_nor_later_backups) {
  for (int day = 0; day < 12; ++day) {
    set_day(day, 3);
    change(1);
    last_normal_ = back_up(honest(1));
    set_day(day, 4);
    back_up(honest(1), 2);
    watch();
  }
  spoil("INSERT ON pin");
  set_day(14, 3);
  encrypt(kFiles);
  back_up(kSaysNothing);
  EXPECT_FALSE(try_watch());
  EXPECT_EQ(events_.count(event::kOverdue), 1u) << "the second source is missed";
  EXPECT_NE(state(2).overdue_ns, 0);
  set_day(15, 3);
  back_up(honest(1));
  EXPECT_FALSE(try_watch());
  EXPECT_EQ(newest().time_ns, now_) << "it was looked at";
  mend();
  watch();
  EXPECT_TRUE(is_pinned(last_normal_));
  EXPECT_EQ(events_.count(event::kAnomaly), 1u);
}

TEST_F(WatchTrouble, who_cancels_ends_a_run) {
  back_up_days(0, 10);
  JobCall call;
  call.progress = [](uint64_t, uint64_t, const std::string&) { return false; };
  const auto ended = watch_job(job_parts()).run(call);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::cancelled);
}

TEST_F(WatchTrouble, a_silence_is_told_before_it_is_noted_so_that_no_crash_loses_it) {
  back_up_days(0, 12);
  int64_t noted = -1;
  events_.on_post = [&](const Event&) { noted = state().overdue_ns; };
  set_day(14, 3);
  watch();
  EXPECT_EQ(events_.count(event::kOverdue), 1u);
  EXPECT_EQ(noted, 0);
  EXPECT_NE(state().overdue_ns, 0);
}

TEST_F(WatchTrouble, an_alarm_is_told_before_it_is_noted_so_that_no_crash_loses_it) {
  bool was_noted = true;
  events_.on_post = [&](const Event&) {
    was_noted = must(house_.catalog().sources().is_raised("store.low"));
  };
  EXPECT_TRUE(alarms_->raise("store.low", {}));
  EXPECT_FALSE(was_noted);
  EXPECT_TRUE(must(house_.catalog().sources().is_raised("store.low")));
  EXPECT_FALSE(alarms_->raise("store.low", {}));
  EXPECT_EQ(events_.all.size(), 1u);
}

TEST_F(WatchTrouble, a_silence_that_cannot_be_noted_is_told_once) {
  back_up_days(0, 12);
  spoil("INSERT ON source_state");
  set_day(14, 3);
  for (int run = 0; run < 3; ++run) EXPECT_FALSE(try_watch());
  EXPECT_EQ(events_.count(event::kOverdue), 1u);
  mend();
  watch();
  watch();
  EXPECT_EQ(events_.count(event::kOverdue), 1u);
  EXPECT_NE(state().overdue_ns, 0);
  EXPECT_EQ(must(connection().integer("SELECT count(*) FROM alarm")), 0) << "the state knows it";
}

TEST_F(WatchTrouble, a_freeze_has_an_end_though_anomalies_go_on) {
  back_up_days(0, 10);
  const int64_t freeze = settings_.freeze.count();
  const int64_t last = kBegin + 10 * kDay + 3 * kHour + 3 * freeze;
  for (int day = 10; day < 52; ++day) {
    set_day(day, 3);
    encrypt(kFiles);
    back_up(kSaysNothing);
    watch();
    ASSERT_TRUE(newest().is_odd) << day;
    ASSERT_EQ(state().frozen_ns, std::min(now_ + freeze, last)) << day;
  }
  EXPECT_THAT(events_.all.back().text, HasSubstr("a freeze has an end"));
  for (int day = 52; day < 66; ++day) {
    set_day(day, 3);
    encrypt(kFiles);
    back_up(kSaysNothing);
    watch();
    ASSERT_EQ(state().frozen_ns, 0) << day;
  }
  EXPECT_EQ(events_.count(event::kAnomaly), 56u) << "each is told";
  set_day(66, 3);
  encrypt(kFiles);
  back_up(kSaysNothing);
  watch();
  EXPECT_EQ(state().frozen_ns, now_ + freeze) << "after as long without one";
}

TEST_F(WatchTrouble, a_person_who_released_a_source_lets_it_freeze_for_its_whole_time_again) {
  back_up_days(0, 10);
  for (const int day : {10, 40}) {
    set_day(day, 3);
    encrypt(kFiles);
    back_up(kSaysNothing);
    watch();
    EXPECT_EQ(state().frozen_ns, now_ + settings_.freeze.count()) << day;
    must(watch_->release(number(), key(owner_)));
  }
}

TEST_F(WatchTrouble, a_freeze_comes_into_the_store_and_goes_with_its_release) {
  back_up_days(0, 10);
  set_day(10, 3);
  encrypt(kFiles);
  back_up(kSaysNothing);
  watch();
  const auto note = [this] {
    return must(
        repository::decode_retention(house_.object("v4/" + repository_.hex() + "/retention")));
  };
  ASSERT_EQ(note().freezes.size(), 1u);
  EXPECT_EQ(note().freezes[0].until_ns, state().frozen_ns);
  EXPECT_EQ(note().freezes[0].normal, to_bytes(last_normal_.view()));
  must(watch_->release(number(), key(owner_)));
  must(book_->keep(repository_));
  EXPECT_TRUE(note().freezes.empty());
}

TEST_F(WatchTrouble, a_device_that_names_source_after_source_is_watched_up_to_a_bound) {
  set_day(0, 3);
  for (uint64_t source = 1; source <= kMostOfDevice + 3; ++source)
    back_up(kSaysNothing, static_cast<uint8_t>(source));
  watch();
  catalog::Sources& sources = house_.catalog().sources();
  EXPECT_EQ(must(sources.count(number(), {})), kMostOfDevice);
  EXPECT_EQ(events_.count(event::kMany), 1u);
  EXPECT_THAT(events_.all.back().text, HasSubstr("watch list --account " + account_));
  EXPECT_EQ(must(connection().integer("SELECT count(*) FROM source_claim")), 0);
  // One that was there before goes on.
  set_day(1, 3);
  back_up(kSaysNothing, 7);
  watch();
  EXPECT_EQ(must(sources.times(number(), key(owner_, 7))).size(), 2u);
  EXPECT_EQ(events_.count(event::kMany), 1u) << "once";
}

TEST_F(WatchTrouble, a_source_that_nobody_waits_for_is_forgotten_after_400_days) {
  back_up_days(0, 10);
  back_up({}, 2);
  back_up({}, 3);
  watch();
  must(watch_->set_wish(number(), key(owner_, 3), {true, 0, 0}, "uid 0 (root)"));
  set_day(408, 3);
  watch();
  catalog::Sources& sources = house_.catalog().sources();
  EXPECT_TRUE(must(sources.state(number(), key(owner_, 2))));
  set_day(412, 3);
  watch();
  EXPECT_FALSE(must(sources.state(number(), key(owner_, 2))));
  EXPECT_TRUE(must(sources.times(number(), key(owner_, 2))).empty());
  EXPECT_TRUE(must(sources.state(number(), key(owner_, 3)))) << "somebody spoke of it";
  EXPECT_NE(state(1).overdue_ns, 0) << "somebody waits for it";
}

}  // namespace
}  // namespace cb::server
