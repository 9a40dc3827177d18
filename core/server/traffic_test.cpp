// SPDX-License-Identifier: Apache-2.0
//
// Rules about traffic and the sessions that share them, on a clock that tests put forward.
#include "core/server/traffic.h"

#include <gtest/gtest.h>

#include "core/base/units.h"
#include "core/server/stopped_clock.h"
#include "core/server/traffic_share.h"
#include "core/stream/run_coroutine.h"

namespace cb::server {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TrafficRule rule(const std::string& name, uint64_t rate, Direction direction = Direction::both) {
  TrafficRule made;
  made.name = name;
  made.rate = {rate, rate};
  made.direction = direction;
  return made;
}

class TrafficTest : public testing::Test {
 protected:
  // A session that moves as much as it may.
  struct Session {
    Session(TrafficTest& test, Direction direction, const std::string& address,
            const std::string& account)
        : share(test.traffic_.get(), test.clock_,
                {direction, address, [&test] { return test.over_; }}) {
      share.set_account(account);
      boost::asio::co_spawn(test.context_, move(), [](const std::exception_ptr&) {});
    }
    boost::asio::awaitable<void> move() {
      while (true) {
        const auto may = co_await share.turn(seconds(1));
        if (!may) co_return;
        const uint64_t some = std::min<uint64_t>(*may, most - moved);
        share.spend(some);
        moved += some;
        if (moved == most) co_return;
      }
    }
    TrafficShare share;
    uint64_t moved = 0;
    uint64_t most = kGiB;
  };
  TrafficTest() { set({}); }
  ~TrafficTest() override {
    over_ = true;
    run();
  }
  void set(std::vector<TrafficRule> rules) {
    traffic_ = std::make_unique<Traffic>(clock_, std::move(rules));
  }
  Session* session(Direction direction = Direction::in, const std::string& address = "10.0.0.1",
                   const std::string& account = "alice") {
    sessions_.push_back(std::make_unique<Session>(*this, direction, address, account));
    return sessions_.back().get();
  }
  // Until everybody waits, and has looked at the clock once more.
  void run() {
    context_.restart();
    context_.run_for(milliseconds(250));
  }
  // In steps, as time goes.
  void forward(std::chrono::nanoseconds time, int steps = 8) {
    for (int i = 0; i < steps; ++i) {
      clock_.forward(time / steps);
      run();
    }
  }

  StoppedClock clock_;
  boost::asio::io_context context_;
  bool over_ = false;
  std::unique_ptr<Traffic> traffic_;
  std::vector<std::unique_ptr<Session>> sessions_;
};

TEST_F(TrafficTest, without_a_rule_nothing_waits) {
  const auto* one = session();
  run();
  EXPECT_EQ(one->moved, kGiB);
}

TEST_F(TrafficTest, a_rule_is_a_cap_of_all_whom_it_is_about_and_fair_among_them) {
  set({rule("all", 16 * kKiB)});
  const auto* one = session();
  const auto* two = session(Direction::out, "10.0.0.2", "bob");
  const auto* three = session();
  run();
  forward(seconds(6));  // three turns in a step
  const uint64_t sum = one->moved + two->moved + three->moved;
  EXPECT_LE(sum, 7 * 16 * kKiB);
  EXPECT_GE(sum, 6 * 16 * kKiB);
  const auto [least, most] = std::minmax({one->moved, two->moved, three->moved});
  EXPECT_LE(most - least, (16 + 4) * kKiB);  // one had the burst
  EXPECT_EQ(traffic_->shown().at(0).waiting, 3U);
  EXPECT_EQ(traffic_->shown().at(0).bytes, sum + 3 * 4 * kKiB);  // and the turns that wait
}

TEST_F(TrafficTest, of_several_rules_the_slowest_decides) {
  set({rule("fast", kMiB), rule("slow", 64 * kKiB), rule("middle", 256 * kKiB)});
  const auto* one = session();
  run();
  EXPECT_EQ(one->moved, 64 * kKiB);
  forward(seconds(4));
  EXPECT_LE(one->moved, 5 * 64 * kKiB);
  EXPECT_GE(one->moved, 4 * 64 * kKiB);
}

TEST_F(TrafficTest, who_waits_for_a_slow_rule_takes_nothing_of_a_fast_one) {
  TrafficRule slow = rule("slow", 8 * kKiB);
  slow.accounts = {"bob"};
  set({rule("all", 64 * kKiB), slow});
  const auto* bob = session(Direction::in, "10.0.0.2", "bob");
  const auto* alice = session();
  run();
  const uint64_t before = alice->moved;
  forward(seconds(1), 16);
  EXPECT_GE(alice->moved - before, (64 - 4 * 4) * kKiB);
  EXPECT_LE(bob->moved, 2 * 8 * kKiB);
  EXPECT_GT(bob->moved, 0U);
}

TEST_F(TrafficTest, a_rule_is_about_its_networks_accounts_and_direction) {
  TrafficRule one = rule("one", 64 * kKiB, Direction::in);
  one.networks = {Network::parse("10.0.0.0/8").value(), Network::parse("2001:db8::/32").value()};
  one.accounts = {"alice", "v3/*"};
  EXPECT_TRUE(one.is_about(Direction::in, "10.1.2.3", "alice"));
  EXPECT_TRUE(one.is_about(Direction::in, "[2001:db8::7]", "v3/00ff"));
  EXPECT_FALSE(one.is_about(Direction::out, "10.1.2.3", "alice"));
  EXPECT_FALSE(one.is_about(Direction::in, "192.0.2.1", "alice"));
  EXPECT_FALSE(one.is_about(Direction::in, "10.1.2.3", "alicea"));
  EXPECT_FALSE(one.is_about(Direction::in, "10.1.2.3", "bob"));
  EXPECT_FALSE(one.is_about(Direction::in, "?", "alice"));
}

TEST_F(TrafficTest, holds_in_its_time_frame_alone_and_who_waits_then_goes_on) {
  TrafficRule night = rule("night", 8 * kKiB);
  // The clock shows 09:00 of a Friday.
  night.when =
      schedule::TimeFrame::make({"fri"}, schedule::Window::parse("08:00-10:00").value()).value();
  ASSERT_TRUE(night.is_due(clock_.wall().count()));
  set({night});
  const auto* one = session();
  run();
  EXPECT_EQ(one->moved, 8 * kKiB);
  clock_.forward(hours(2));
  run();
  EXPECT_EQ(one->moved, kGiB);
  EXPECT_FALSE(traffic_->shown().at(0).holds);
}

TEST_F(TrafficTest, a_pause_frees_who_waits_until_its_end) {
  set({rule("all", 8 * kKiB)});
  const auto* one = session();
  run();
  EXPECT_LT(one->moved, kMiB);
  ASSERT_TRUE(traffic_->pause((clock_.wall() + hours(2)).count()));
  run();
  EXPECT_EQ(one->moved, kGiB);
  EXPECT_TRUE(traffic_->paused_until());
  clock_.forward(hours(2));
  EXPECT_FALSE(traffic_->paused_until());
  const auto* two = session();
  run();
  EXPECT_LT(two->moved, kMiB);
}

TEST_F(TrafficTest, a_pause_without_end_ends_with_resume_and_with_other_rules) {
  set({rule("all", 8 * kKiB)});
  ASSERT_TRUE(traffic_->pause(std::nullopt));
  EXPECT_EQ(traffic_->paused_until(), 0);
  traffic_->resume();
  EXPECT_FALSE(traffic_->paused_until());
  ASSERT_TRUE(traffic_->pause(std::nullopt));
  traffic_->reconfigure({rule("all", 8 * kKiB)});
  EXPECT_FALSE(traffic_->paused_until());
  EXPECT_EQ(traffic_->pause(clock_.wall().count()).error().code, Code::invalid);
}

TEST_F(TrafficTest, other_rules_hold_at_once_for_who_waits_and_give_no_burst) {
  set({rule("all", 8 * kKiB)});
  const auto* one = session();
  run();
  const uint64_t before = one->moved;
  traffic_->reconfigure({rule("all", kMiB)});
  run();
  EXPECT_EQ(one->moved, before);
  forward(seconds(1));
  EXPECT_GE(one->moved, before + kMiB / 2);
  EXPECT_LE(one->moved, before + kMiB);
}

TEST_F(TrafficTest, a_rule_that_stays_as_it_is_keeps_its_bucket) {
  set({rule("all", 64 * kKiB)});
  const auto* one = session();
  run();
  EXPECT_EQ(one->moved, 64 * kKiB);
  traffic_->reconfigure({rule("other", kMiB), rule("all", 64 * kKiB)});
  run();
  EXPECT_EQ(one->moved, 64 * kKiB);
}

TEST_F(TrafficTest, a_rate_that_is_set_live_ends_with_the_next_reload) {
  set({rule("all", 8 * kKiB)});
  EXPECT_EQ(traffic_->set_rate("none", {kMiB, kMiB}).error().code, Code::not_found);
  EXPECT_EQ(traffic_->set_rate("all", {1, 1}).error().code, Code::invalid);
  EXPECT_EQ(traffic_->set_rate("all", {kMiB, 0}).error().code, Code::invalid);
  ASSERT_TRUE(traffic_->set_rate("all", {kMiB, kMiB}));
  EXPECT_TRUE(traffic_->shown().at(0).is_live);
  EXPECT_EQ(traffic_->shown().at(0).rule.rate.per_second, kMiB);
  traffic_->reconfigure({rule("all", 8 * kKiB)});
  EXPECT_FALSE(traffic_->shown().at(0).is_live);
  EXPECT_EQ(traffic_->shown().at(0).rule.rate.per_second, 8 * kKiB);
}

}  // namespace
}  // namespace cb::server
