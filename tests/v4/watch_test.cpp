// SPDX-License-Identifier: Apache-2.0
//
// Sources that are watched, over protocol 4 and through the operator's program: the real daemon on
// a clock that tests put forward.
#include <gmock/gmock.h>

#include <array>
#include <cstdio>

#include "core/server/stopped_clock.h"
#include "tests/folders.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using report::Json;
using std::chrono::hours;
using testing::HasSubstr;
using v4::Request;
using v4::Response;

class EventBasket final : public EventSink {
 public:
  void post(Event event) override {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(event));
  }
  // Those of a kind.
  std::vector<Event> of(const std::string& kind) {
    const std::lock_guard lock(mutex_);
    std::vector<Event> some;
    for (const Event& one : all_)
      if (one.kind == kind) some.push_back(one);
    return some;
  }

 private:
  std::mutex mutex_;
  std::vector<Event> all_;
};

class V4Watch : public V4Server {
 protected:
  V4Watch() : owner_(V4Owner::make()) {
    seams_.clock = &clock_;
    seams_.events = &events_;
    start();
    peer_ = enrolled("alice", owner_);
  }
  ~V4Watch() override { stop(); }  // while the clock and the basket are there

  // A whole snapshot of one source, with some blobs of content, and what the client says of it.
  std::string back_up(const std::optional<v4::pb::ChangeReport>& report = {}) {
    peer_ = member(owner_);  // a session does not live as long as the clock may have gone forward
    const V4Blobs blobs(3000, 20);
    for (const auto& blob : blobs.all) peer_->put(peer_->next_id++, blob.head, blob.stored);
    v4::pb::Commit commit = blobs.commit(owner_);
    commit.set_source(std::string(32, 's'));
    if (report) *commit.mutable_report() = *report;
    EXPECT_EQ(ask(*peer_, Request::commit, commit).code, Response::commit);
    return blobs.snapshot.hex();
  }
  Json watched() { return admin_or_fail({{"command", "watch.list"}}); }
  void look() { admin_or_fail({{"command", "job.run"}, {"job", "watch"}}); }
  Json admin_or_fail(Json request) {
    const auto answer = admin(std::move(request));
    EXPECT_TRUE(answer) << answer.error().text();
    return answer.value_or(Json::object());
  }
  void restart() {
    peer_.reset();
    stop();
    start();
  }
  struct Ran {
    int code = -1;
    std::string out;  // both streams
  };
  [[nodiscard]] Ran run(const std::string& command) const {
    const std::string line = test::program("cyberbackupd") + " " + command + " --config " +
                             (folder_ / "cyberbackupd.toml").string() +
                             " --set plugins.dir=" + test::plugins() + " 2>&1";
    Ran ran;
    FILE* pipe = ::popen(line.c_str(), "r");
    std::array<char, 4096> part{};
    while (const size_t got = std::fread(part.data(), 1, part.size(), pipe))
      ran.out.append(part.data(), got);
    ran.code = WEXITSTATUS(::pclose(pipe));
    return ran;
  }

  StoppedClock clock_;
  EventBasket events_;
  V4Owner owner_;
  std::unique_ptr<V4Peer> peer_;
};

TEST_F(V4Watch, a_source_that_falls_silent_is_told_of_once_over_a_restart) {
  back_up();
  look();
  EXPECT_THAT(run("watch list").out, HasSubstr("not known yet"));
  const Ran set = run("watch set --account alice --expect 1d --tolerance 6h");
  EXPECT_EQ(set.code, 0) << set.out;
  clock_.forward(hours(29));
  look();
  EXPECT_TRUE(events_.of(event::kOverdue).empty());
  clock_.forward(hours(2));
  look();
  look();
  ASSERT_EQ(events_.of(event::kOverdue).size(), 1u);
  EXPECT_EQ(events_.of(event::kOverdue).front().account, "alice");
  EXPECT_THAT(run("watch list").out, HasSubstr("overdue since"));
  restart();
  look();
  EXPECT_EQ(events_.of(event::kOverdue).size(), 1u);
  back_up();
  look();
  look();
  EXPECT_EQ(events_.of(event::kBack).size(), 1u);
  EXPECT_TRUE(log_.contains("event=watch.overdue")) << log_.text();
}

TEST_F(V4Watch, what_a_client_reports_of_its_files_raises_an_alarm_that_an_operator_releases) {
  const std::string normal = back_up();
  look();
  clock_.forward(hours(24));
  v4::pb::ChangeReport report;
  report.set_unchanged(20);
  report.set_added(80);
  report.set_removed(80);
  report.set_renamed(80);
  back_up(report);
  look();
  ASSERT_EQ(events_.of(event::kAnomaly).size(), 1u);
  const Json one = watched()["sources"][0];
  EXPECT_GE(one["last"]["score"].get<int>(), 60);
  EXPECT_TRUE(one["last"]["anomaly"].get<bool>());
  EXPECT_EQ(one["kept_snapshot"], normal);
  EXPECT_GT(one["frozen_until_ns"].get<int64_t>(), clock_.wall().count());
  EXPECT_THAT(run("watch list").out, HasSubstr("another ending"));
  EXPECT_THAT(run("retention show --account alice").out, HasSubstr(normal.substr(0, 12)));
  EXPECT_EQ(run("watch release --account alice --source ffff").code, 10);
  EXPECT_EQ(run("watch release --account alice").code, 0);
  EXPECT_NE(run("watch release --account alice").code, 0);
  EXPECT_EQ(watched()["sources"][0]["frozen_until_ns"], 0);
  const std::string audit = run("audit list --action admin.watch").out;
  EXPECT_THAT(audit, HasSubstr("admin.watch.release"));
  EXPECT_THAT(run("audit list --action watch").out, HasSubstr("watch.anomaly"));
}

TEST_F(V4Watch, expectations_that_cannot_be_are_refused_and_all_changes_are_in_the_audit_log) {
  back_up();
  look();
  EXPECT_NE(run("watch set --account alice").code, 0);
  EXPECT_NE(run("watch set --account alice --expect 1d none").code, 0);
  EXPECT_NE(run("watch set --account alice --expect 1s").code, 0);
  EXPECT_NE(run("watch set --account nobody none").code, 0);
  EXPECT_EQ(run("watch set --account alice none").code, 0);
  look();
  EXPECT_EQ(watched()["sources"][0]["basis"], "never");
  EXPECT_EQ(run("watch set --account alice history").code, 0);
  EXPECT_NE(run("watch set --account alice history").code, 0);
  const std::string audit = run("audit list --action admin.watch.set").out;
  EXPECT_THAT(audit, HasSubstr("what none"));
  EXPECT_THAT(audit, HasSubstr("what history"));
}

TEST_F(V4Watch, the_daemon_looks_every_quarter_of_an_hour_whatever_window_there_is) {
  stop();
  start({"upkeep.window=02:00-03:00"});  // the clock shows eight
  int64_t next = 0, of_another = 0;
  for (const Json& one : admin_or_fail({{"command", "job.list"}})) {
    if (one["job"] == "watch") next = one["next_ns"].get<int64_t>();
    if (one["job"] == "clean") of_another = one["next_ns"].get<int64_t>();
  }
  EXPECT_GT(next, 0);
  EXPECT_LE(next, (clock_.wall() + std::chrono::minutes(20)).count());
  EXPECT_GT(of_another, (clock_.wall() + hours(12)).count());
}

}  // namespace
}  // namespace cb::server
