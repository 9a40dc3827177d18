// SPDX-License-Identifier: Apache-2.0
//
// The mode of the store on a clock that tests put forward, over real files.
#include "core/server/maintenance.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "core/log/capture.h"
#include "core/server/stopped_clock.h"

namespace cb::server {
namespace {

using std::chrono::minutes;
using Work = Maintenance::Work;

class MaintenanceTest : public testing::Test {
 protected:
  MaintenanceTest() {
    std::string name = (std::filesystem::temp_directory_path() / "cb-mode-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    open();
  }
  ~MaintenanceTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open(const StoreSettings& settings = {}) {
    Maintenance::Parts parts;
    parts.files = &os::real_file_system();
    parts.file = folder_ / "store-mode";
    parts.clock = &clock_;
    parts.log = &log_;
    parts.changed = [this] { ++changes_; };
    parts.opens = [this]() -> Status {
      ++openings_;
      if (is_broken_) return failed(Code::io, "store", "is broken");
      return {};
    };
    store_ = std::make_unique<Maintenance>(std::move(parts), settings);
  }
  void tell(StoreMode mode, std::chrono::nanoseconds drain = minutes(10)) {
    EXPECT_TRUE(store_->tell({mode, clock_.wall().count(), "uid 7"}, drain));
  }
  // A ticket that notes when it is told to end.
  std::optional<Maintenance::Ticket> begin(Work work) {
    auto ticket = store_->begin(work, [this] { ++ended_; });
    if (!ticket) return std::nullopt;
    return std::move(*ticket);
  }

  std::filesystem::path folder_;
  StoppedClock clock_;
  log::Capture log_;
  int changes_ = 0;
  int ended_ = 0;
  int openings_ = 0;
  bool is_broken_ = false;
  std::unique_ptr<Maintenance> store_;
};

TEST_F(MaintenanceTest, as_usual_everything_may_be_done) {
  EXPECT_EQ(store_->mode(), StoreMode::normal);
  EXPECT_TRUE(store_->may_read());
  EXPECT_TRUE(store_->may_write());
  EXPECT_EQ(store_->refusal_of_job(true), "");
  EXPECT_TRUE(begin(Work::backup));
  EXPECT_FALSE(store_->is_draining());
}

TEST_F(MaintenanceTest, read_only_serves_restores_and_jobs_that_read) {
  tell(StoreMode::read_only);
  EXPECT_TRUE(store_->may_read());
  EXPECT_TRUE(begin(Work::reading));
  EXPECT_FALSE(begin(Work::backup));
  const Status refused = store_->may_write();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::state);
  EXPECT_EQ(refused.error().retry, Retry::yes);
  EXPECT_NE(refused.error().cause.find("read-only"), std::string::npos);
  EXPECT_EQ(store_->refusal_of_job(false), "");
  EXPECT_EQ(store_->refusal_of_job(true), "the store is read-only");
  EXPECT_EQ(store_->shown().refused, 2U);
  EXPECT_EQ(changes_, 1);
}

TEST_F(MaintenanceTest, offline_serves_nothing) {
  tell(StoreMode::offline);
  EXPECT_FALSE(store_->may_read());
  EXPECT_FALSE(begin(Work::reading));
  EXPECT_FALSE(begin(Work::backup));
  EXPECT_EQ(store_->refusal_of_job(false), "the store is offline");
}

TEST_F(MaintenanceTest, a_backup_under_way_may_end_in_its_time_and_is_ended_after_it) {
  auto one = begin(Work::backup);
  auto two = begin(Work::backup);
  const auto reading = begin(Work::reading);
  tell(StoreMode::read_only, minutes(5));
  EXPECT_TRUE(one->may_go_on());
  EXPECT_EQ(store_->shown().backups, 2U);
  EXPECT_EQ(store_->shown().until_ns, (clock_.wall() + minutes(5)).count());
  one.reset();
  EXPECT_TRUE(store_->is_draining());
  EXPECT_EQ(store_->end_overdue(), 0U);
  clock_.forward(minutes(5));
  EXPECT_FALSE(two->may_go_on());
  EXPECT_EQ(store_->end_overdue(), 1U);
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(store_->end_overdue(), 0U) << "nobody is told twice";
  two.reset();
  EXPECT_FALSE(store_->is_draining()) << "a restore goes with read-only";
  EXPECT_TRUE(log_.contains("event=store.drained")) << log_.text();
}

TEST_F(MaintenanceTest, offline_waits_for_restores_too) {
  auto reading = begin(Work::reading);
  tell(StoreMode::offline, minutes(1));
  EXPECT_TRUE(store_->is_draining());
  clock_.forward(minutes(1));
  EXPECT_EQ(store_->end_overdue(), 1U);
  reading.reset();
  EXPECT_FALSE(store_->is_draining());
}

TEST_F(MaintenanceTest, normal_again_lets_who_was_to_end_go_on) {
  const auto one = begin(Work::backup);
  tell(StoreMode::read_only, minutes(0));
  EXPECT_FALSE(one->may_go_on());
  tell(StoreMode::normal);
  EXPECT_TRUE(one->may_go_on());
  EXPECT_TRUE(begin(Work::backup));
  EXPECT_EQ(store_->shown().until_ns, 0);
}

TEST_F(MaintenanceTest, what_was_told_holds_after_a_restart) {
  tell(StoreMode::offline);
  open();
  EXPECT_EQ(store_->mode(), StoreMode::offline);
  EXPECT_EQ(store_->shown().told.told_by, "uid 7");
  tell(StoreMode::normal);
  open();
  EXPECT_EQ(store_->mode(), StoreMode::normal);
}

TEST_F(MaintenanceTest, of_configuration_and_operator_the_stricter_holds) {
  store_->reconfigure({StoreMode::read_only, minutes(10)});
  EXPECT_EQ(store_->mode(), StoreMode::read_only);
  tell(StoreMode::normal);
  EXPECT_EQ(store_->mode(), StoreMode::read_only);
  tell(StoreMode::offline);
  EXPECT_EQ(store_->mode(), StoreMode::offline);
  store_->reconfigure({StoreMode::normal, minutes(10)});
  EXPECT_EQ(store_->mode(), StoreMode::offline);
  tell(StoreMode::normal);
  EXPECT_EQ(store_->mode(), StoreMode::normal);
}

TEST_F(MaintenanceTest, a_reload_gives_nobody_more_time_and_telling_again_does) {
  const auto one = begin(Work::backup);
  tell(StoreMode::read_only, minutes(2));
  clock_.forward(minutes(1));
  store_->reconfigure({StoreMode::normal, minutes(10)});
  clock_.forward(minutes(1));
  EXPECT_FALSE(one->may_go_on());
  tell(StoreMode::read_only, minutes(2));
  EXPECT_TRUE(one->may_go_on());
}

TEST_F(MaintenanceTest, a_time_that_nobody_can_mean_is_refused_and_ends_nothing) {
  const auto ticket = begin(Work::backup);
  for (const auto drain : {std::chrono::nanoseconds(-1), std::chrono::nanoseconds::max()}) {
    const Status told = store_->tell({StoreMode::read_only, 1, "uid 7"}, drain);
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().code, Code::invalid);
  }
  EXPECT_EQ(store_->mode(), StoreMode::normal);
  EXPECT_TRUE(ticket->may_go_on());
}

TEST_F(MaintenanceTest, is_normal_again_only_when_what_must_be_before_is_done) {
  tell(StoreMode::read_only);
  EXPECT_EQ(openings_, 0);
  is_broken_ = true;
  EXPECT_FALSE(store_->tell({StoreMode::normal, 1, "uid 7"}, {}));
  EXPECT_EQ(store_->mode(), StoreMode::read_only);
  is_broken_ = false;
  tell(StoreMode::normal);
  EXPECT_EQ(openings_, 2);
  store_->reconfigure({StoreMode::offline, minutes(10)});
  is_broken_ = true;
  store_->reconfigure({StoreMode::normal, minutes(10)});
  EXPECT_EQ(store_->mode(), StoreMode::offline);
  EXPECT_TRUE(log_.contains("event=store.mode-kept"));
  is_broken_ = false;
  store_->reconfigure({StoreMode::normal, minutes(10)});
  EXPECT_EQ(store_->mode(), StoreMode::normal);
}

TEST_F(MaintenanceTest, a_file_that_nobody_can_read_counts_as_read_only) {
  for (const char* text : {"", "normal", "{\"mode\":\"fast\"}", "[]"}) {
    ASSERT_TRUE(os::write_file_atomically(os::real_file_system(), folder_ / "store-mode",
                                          as_bytes(std::string(text))));
    open();
    EXPECT_EQ(store_->mode(), StoreMode::read_only) << text;
  }
  EXPECT_TRUE(log_.contains("event=store.mode-unread"));
  tell(StoreMode::normal);
  EXPECT_EQ(store_->mode(), StoreMode::normal);
}

TEST_F(MaintenanceTest, a_mode_that_cannot_be_kept_is_not_set) {
  std::filesystem::remove_all(folder_);
  EXPECT_FALSE(store_->tell({StoreMode::offline, 1, ""}, minutes(1)));
  EXPECT_EQ(store_->mode(), StoreMode::normal);
}

TEST(ToldMode, is_read_as_it_is_written) {
  const ToldMode told{StoreMode::read_only, 77, "uid 0 \"root\""};
  EXPECT_EQ(parse_told_mode(text_of(told)).value(), told);
}

}  // namespace
}  // namespace cb::server
