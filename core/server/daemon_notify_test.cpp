// SPDX-License-Identifier: Apache-2.0
//
// Notifications of a running daemon, as its operator sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/catalog/catalog.h"
#include "core/notify/peer_test.h"
#include "core/report/json.h"
#include "core/server/admin_server.h"
#include "core/server/audit_record.h"
#include "core/server/daemon.h"
#include "core/server/daemon_fixture.h"
#include "core/server/event_post.h"

namespace cb::server {
namespace {

using testing::HasSubstr;

class DaemonNotify : public DaemonFolder {
 protected:
  void SetUp() override {
    ::setenv("no_proxy", "*", 1);
    const auto made = init();
    ASSERT_TRUE(made) << made.error().text();
    written_ = content("cyberbackupd.toml");
  }

  // Targets, "name" and port each.
  void write_targets(const std::vector<std::pair<std::string, std::string>>& targets) {
    std::string text = written_;
    for (const auto& [name, port] : targets)
      text += "\n[[notify]]\nname = '" + name + "'\nurl = 'http://127.0.0.1:" + port + "/'\n";
    std::ofstream(folder_ / "cyberbackupd.toml") << text;
  }

  std::unique_ptr<Daemon> start() {
    auto daemon = Daemon::start(settings(), seams_);
    EXPECT_TRUE(daemon) << daemon.error().text();
    return daemon ? std::move(*daemon) : nullptr;
  }

  [[nodiscard]] report::Json ask(const report::Json& request) const {
    const auto answer =
        ask_daemon_if_any(folder_ / "admin.sock", request, std::chrono::seconds(60));
    EXPECT_TRUE(answer) << answer.error().text();
    return answer && *answer ? **answer : report::Json();
  }

  // The details of the records of one action, with their outcome.
  [[nodiscard]] std::vector<std::string> audited(const std::string& action) const {
    std::vector<std::string> all;
    for (const report::Json& one : ask({{"command", "audit.list"}, {"action", action}})
                                       .value("records", report::Json::array()))
      all.push_back(report::text_of(one, "outcome") + ": " + report::text_of(one, "detail"));
    return all;
  }

  std::string written_;
};

TEST_F(DaemonNotify, a_test_reaches_its_target_and_says_what_came_of_it) {
  notify::WebPeer good({200}), bad({500});
  write_targets({{"good", good.port()}, {"bad", bad.port()}});
  const auto daemon = start();
  ASSERT_TRUE(daemon);
  const report::Json all = ask({{"command", "notify.test"}});
  ASSERT_EQ(all.size(), 2u) << all.dump();
  EXPECT_EQ(all[0]["sent"], true);
  EXPECT_EQ(all[1]["sent"], false);
  EXPECT_THAT(report::text_of(all[1]["error"], "cause"), HasSubstr("answered 500"));
  EXPECT_EQ(good.requests().size(), 1u);
  const report::Json list = ask({{"command", "notify.list"}});
  ASSERT_EQ(list.size(), 2u);
  EXPECT_GT(list[0]["last_success_ns"], 0);
  EXPECT_EQ(list[0]["last_failure_ns"], 0);
  EXPECT_THAT(report::text_of(list[1], "last_error"), HasSubstr("answered 500"));
  EXPECT_EQ(audited("admin.notify.test").size(), 1u);
}

TEST_F(DaemonNotify, a_reload_takes_over_other_targets_and_the_audit_log_says_so) {
  notify::WebPeer one({200}), two({200});
  write_targets({{"kept", one.port()}, {"gone", one.port()}});
  const auto daemon = start();
  ASSERT_TRUE(daemon);
  write_targets({{"kept", two.port()}, {"new", two.port()}});
  ASSERT_TRUE(daemon->reload(settings()));
  (void)ask({{"command", "notify.test"}, {"name", "kept"}});
  EXPECT_TRUE(one.requests().empty());
  EXPECT_EQ(two.requests().size(), 1u);
  EXPECT_THAT(audited("notify.changed"),
              testing::ElementsAre("done: added new, changed kept, removed gone"));
}

TEST_F(DaemonNotify, what_waited_when_a_daemon_ended_is_sent_by_the_next_one) {
  notify::WebPeer bad({500}), good({200});
  write_targets({{"admins", bad.port()}});
  {
    const auto waiting =
        notify::Notifier::open({&os::system_clock(), &os::system_random(), &log_, "srv",
                                &os::real_file_system(), settings().data / "notify"},
                               settings().notify);
    ASSERT_TRUE(waiting);
    (*waiting)->post({"source.overdue", "alice", "", "", "no backup came", "Since Monday."});
    EXPECT_EQ((*waiting)->run_due(), 1u);
  }
  write_targets({{"admins", good.port()}});
  const auto daemon = start();
  ASSERT_TRUE(daemon);
  ASSERT_TRUE(log_.wait_for("event=notify.sent", std::chrono::seconds(30))) << log_.text();
  const auto json = report::parse_json(good.requests().at(0).body);
  ASSERT_TRUE(json);
  EXPECT_EQ(report::text_of(*json, "subject"), "no backup came");
}

TEST(EventPost, passes_events_on_as_they_are_and_writes_them_to_the_log) {
  ::setenv("no_proxy", "*", 1);
  notify::WebPeer peer({200});
  notify::TargetSettings settings;
  settings.name = "hook";
  notify::WebhookSettings way;
  way.url = Secret(as_bytes("http://127.0.0.1:" + peer.port() + "/"));
  settings.way = std::move(way);
  const auto target = notify::Target::make(std::move(settings));
  ASSERT_TRUE(target) << target.error().text();
  log::Capture log;
  const auto notifier =
      notify::Notifier::open({&os::system_clock(), &os::system_random(), &log, "srv"}, {*target});
  ASSERT_TRUE(notifier);
  EventPost events(**notifier, log);
  events.post({event::kOverdue, "alice", "d1/5a", "d1", "no backup came", "Since Monday.",
               Severity::alarm, 7});
  EXPECT_EQ((*notifier)->run_due(), 1u);
  const auto json = report::parse_json(peer.requests().at(0).body);
  ASSERT_TRUE(json);
  EXPECT_EQ(report::text_of(*json, "kind"), "source.overdue");
  EXPECT_EQ(report::text_of(*json, "severity"), "alarm");
  EXPECT_EQ(report::text_of(*json, "source"), "d1/5a");
  EXPECT_EQ(report::text_of(*json, "text"), "Since Monday.");
  EXPECT_TRUE(log.contains("warn event=event.posted kind=source.overdue account=alice"))
      << log.text();
}

}  // namespace
}  // namespace cb::server
