// SPDX-License-Identifier: Apache-2.0
//
// A store that is read-only or offline, as sessions of protocol 4 and the operator see it.
#include <gmock/gmock.h>

#include <filesystem>
#include <set>
#include <thread>

#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using report::Json;
using testing::HasSubstr;
using v4::Request;
using v4::Response;

constexpr int64_t kMinute = 60 * int64_t{1'000'000'000};

class V4Maintenance : public V4Server {
 protected:
  V4Maintenance() {
    start();
    peer_ = enrolled("alice", owner_);
    put(*peer_, blobs_, 0, blobs_.all.size());
    EXPECT_EQ(commit(*peer_, blobs_).code, Response::commit);
  }
  static void put(V4Peer& peer, const V4Blobs& blobs, size_t from, size_t to) {
    for (size_t i = from; i < to; ++i)
      peer.put(peer.next_id++, blobs.all[i].head, blobs.all[i].stored);
  }
  V4Answer commit(V4Peer& peer, const V4Blobs& blobs) const {
    return ask(peer, Request::commit, blobs.commit(owner_));
  }
  Json tell(const std::string& mode, int64_t drain_ns = 10 * kMinute) {
    const auto told = admin({{"command", "store.mode"}, {"mode", mode}, {"drain_ns", drain_ns}});
    EXPECT_TRUE(told) << told.error().text();
    return told.value_or(Json());
  }
  // As a crash leaves one: a pack that the catalog does not know.
  void leave_a_pack() {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "store")) {
      const bool is_pack = entry.path().string().find("pack") != std::string::npos;
      if (!entry.is_regular_file() || !is_pack) continue;
      std::string name = entry.path().filename().string();
      name.back() = name.back() == '0' ? '1' : '0';
      std::filesystem::copy_file(entry.path(), entry.path().parent_path() / name);
      return;
    }
    FAIL() << "there is no pack";
  }
  Json shown() { return admin({{"command", "store.show"}}).value(); }
  Response get(V4Peer& peer) const {
    v4::pb::Get get;
    get.set_ids(v4::join_ids(std::array{blobs_.root}));
    V4Answer answer = ask(peer, Request::get, get);
    while (answer.code == Response::blob || answer.code == Response::blob_more)
      answer = peer.answer().value();
    return answer.code;
  }
  // What a request was refused with.
  static void expect_refused(const V4Answer& answer, const char* mode) {
    ASSERT_EQ(answer.code, Response::failure);
    const auto failure = answer.as<v4::pb::Failure>();
    EXPECT_EQ(failure.code(), static_cast<int>(Code::state));
    EXPECT_EQ(failure.retry(), static_cast<uint32_t>(Retry::yes));
    EXPECT_THAT(failure.cause(), HasSubstr(mode));
  }

  V4Owner owner_ = V4Owner::make();
  V4Blobs blobs_{3000};
  std::unique_ptr<V4Peer> peer_;
};

TEST_F(V4Maintenance, read_only_serves_restores_and_takes_nothing) {
  EXPECT_EQ(tell("read-only")["mode"], "read-only");
  auto peer = member(owner_);
  EXPECT_EQ(get(*peer), Response::get_end);
  const V4Blobs more(2000);
  put(*peer, more, 0, more.all.size());
  expect_refused(peer->answer().value(), "read-only");
  expect_refused(commit(*peer, more), "read-only");
  v4::pb::Forget forget;
  forget.set_snapshot(v4::field_of(blobs_.snapshot.view()));
  expect_refused(ask(*peer, Request::forget, forget), "read-only");
  EXPECT_EQ(get(*peer), Response::get_end) << "the session goes on";
  tell("normal");
  auto again = member(owner_);
  put(*again, more, 0, more.all.size());
  EXPECT_EQ(commit(*again, more).code, Response::commit);
}

TEST_F(V4Maintenance, a_backup_under_way_may_end_and_no_other_begins) {
  const V4Blobs more(2000, 2);
  put(*peer_, more, 0, 2);
  ASSERT_EQ(ask(*peer_, Request::flush, v4::pb::Flush()).code, Response::flush);
  const Json told = tell("read-only");
  EXPECT_EQ(told["left"], 1);
  EXPECT_GT(told["until_ns"], 0);
  put(*peer_, more, 2, more.all.size());
  EXPECT_EQ(commit(*peer_, more).code, Response::commit);
  EXPECT_EQ(shown()["left"], 0);
  const V4Blobs next(2000);
  put(*peer_, next, 0, 1);
  expect_refused(peer_->answer().value(), "read-only");
}

TEST_F(V4Maintenance, a_checkpoint_is_not_the_end_of_a_backup) {
  const V4Blobs more(2000);
  put(*peer_, more, 0, more.all.size());
  v4::pb::Commit checkpoint = more.commit(owner_);
  checkpoint.set_flags(repository::kSnapshotCheckpoint);
  ASSERT_EQ(ask(*peer_, Request::commit, checkpoint).code, Response::commit);
  EXPECT_EQ(tell("read-only")["left"], 1);
}

TEST_F(V4Maintenance, a_backup_whose_time_is_over_is_ended) {
  const V4Blobs more(2000);
  put(*peer_, more, 0, 2);
  ASSERT_EQ(ask(*peer_, Request::flush, v4::pb::Flush()).code, Response::flush);
  tell("read-only", 0);
  EXPECT_TRUE(peer_->ended());
  while (!log_.contains("event=store.drained")) std::this_thread::yield();
  EXPECT_EQ(shown()["left"], 0);
  EXPECT_TRUE(log_.contains("event=store.drain-over")) << log_.text();
}

TEST_F(V4Maintenance, offline_lets_nobody_in_and_says_that_it_passes) {
  tell("offline");
  EXPECT_EQ(ask(*peer_, Request::heartbeat, v4::pb::Heartbeat()).code, Response::heartbeat);
  v4::pb::Get get;
  get.set_ids(v4::join_ids(std::array{blobs_.root}));
  expect_refused(ask(*peer_, Request::get, get), "offline");
  auto comer = peer();
  const auto refused = comer->login(owner_);
  ASSERT_TRUE(refused);
  expect_refused(*refused, "offline");
  EXPECT_TRUE(comer->ended());
  EXPECT_EQ(daemon_->status()["v4"]["disorders"], 0);
}

TEST_F(V4Maintenance, jobs_that_write_wait_and_all_of_them_when_offline) {
  tell("read-only");
  const auto refused = admin({{"command", "job.run"}, {"job", "collect"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::busy);
  EXPECT_TRUE(admin({{"command", "job.run"}, {"job", "verify"}}));
  const std::set<std::string> reading = {"verify", "watch", "drills"};
  const Json jobs = admin({{"command", "job.list"}}).value();
  for (const Json& job : jobs)
    EXPECT_NE(job.contains("held"), reading.contains(job["job"].get<std::string>())) << job;
  tell("offline");
  EXPECT_FALSE(admin({{"command", "job.run"}, {"job", "verify"}}));
  EXPECT_FALSE(admin({{"command", "check"}}));
}

TEST_F(V4Maintenance, holds_over_a_restart_and_is_told_everywhere) {
  tell("read-only");
  peer_.reset();
  stop();
  leave_a_pack();
  start();
  EXPECT_EQ(daemon_->status()["store"]["mode"], "read-only");
  EXPECT_TRUE(log_.contains("event=store.not-completed")) << "a start removes nothing either";
  EXPECT_FALSE(log_.contains("event=store.leftovers-removed"));
  EXPECT_THAT(daemon_->status()["store"]["told_by"].get<std::string>(), HasSubstr("uid "));
  EXPECT_FALSE(admin({{"command", "store.mode"}, {"mode", "closed"}}));
  tell("normal");
  EXPECT_EQ(shown()["mode"], "normal");
  EXPECT_TRUE(log_.contains("event=store.leftovers-removed"));
  const std::string log = report::json_line(admin({{"command", "audit.list"}}).value());
  EXPECT_THAT(log, HasSubstr("admin.store.mode"));
  EXPECT_THAT(log, HasSubstr("mode read-only"));
}

}  // namespace
}  // namespace cb::server
