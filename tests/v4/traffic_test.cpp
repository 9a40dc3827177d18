// SPDX-License-Identifier: Apache-2.0
//
// Traffic rules over real connections of protocol 4, on a clock that the tests put forward: what a
// rule holds up waits for ever until then.
#include <gmock/gmock.h>

#include <atomic>
#include <limits>
#include <thread>

#include "core/repository/pairing_token.h"
#include "core/server/stopped_clock.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using report::Json;
using std::chrono::minutes;
using v4::Request;
using v4::Response;

class V4Traffic : public V4Server {
 protected:
  V4Traffic() { seams_.clock = &clock_; }
  ~V4Traffic() override { daemon_.reset(); }  // before the clock

  void start_with(const std::string& rules, std::vector<std::string> set = {}) {
    change_config("[limits]", rules + "\n[limits]");
    start(std::move(set));
    peer_ = enrolled("alice", owner_);
  }
  Json rule() { return admin({{"command", "traffic.show"}}).value()["rules"][0]; }
  uint64_t let_go() { return rule()["bytes"].get<uint64_t>(); }
  // Until the session waits for its turn.
  void wait_until_held() {
    while (rule()["waiting"] != 1) std::this_thread::yield();
  }
  // Puts the clock forward whenever the session waits, each time by more than all deadlines of a
  // session, while something else is waited for. Never while it does not wait: that would be the
  // peer's time.
  class Pushing {
   public:
    explicit Pushing(V4Traffic& test) : thread_([this, &test] { run(test); }) {}
    ~Pushing() {
      done_ = true;
      thread_.join();
    }

   private:
    void run(V4Traffic& test) {
      while (!done_) {
        const Json before = test.rule();
        if (before["waiting"] != 1) continue;
        test.clock_.forward(minutes(11));
        while (!done_ && test.rule() == before) std::this_thread::yield();
      }
    }
    std::atomic<bool> done_{false};
    std::thread thread_;
  };
  uint64_t put_all() {
    uint64_t bytes = 0;
    for (const auto& blob : blobs_.all) {
      peer_->put(peer_->next_id++, blob.head, blob.stored);
      bytes += blob.stored.size();
    }
    return bytes;
  }

  StoppedClock clock_;
  V4Owner owner_ = V4Owner::make();
  V4Blobs blobs_{40'000, 1};
  std::unique_ptr<V4Peer> peer_;
};

constexpr const char* kSlow = "[[traffic]]\nname = 'slow'\nrate = '4KiB'\n";

TEST_F(V4Traffic, an_upload_that_is_only_held_up_is_cut_by_no_deadline) {
  start_with(kSlow);
  const uint64_t bytes = put_all();
  peer_->request(Request::flush, 99);
  wait_until_held();
  EXPECT_LE(let_go(), 2 * 4096U);
  const Pushing pushing(*this);
  const auto answer = peer_->answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, Response::flush) << answer->failure();
  EXPECT_EQ(peer_->taken.bytes(), bytes);
}

TEST_F(V4Traffic, a_download_that_is_only_held_up_is_cut_by_no_deadline) {
  start_with(std::string(kSlow) + "direction = 'out'\n");
  put_all();
  peer_->request(Request::flush, 99);
  ASSERT_EQ(peer_->answer()->code, Response::flush) << "a rule about what goes out holds nothing";
  v4::pb::Get get;
  get.set_ids(v4::join_ids(std::array{blobs_.all[1].head.id}));
  peer_->request(Request::get, 100, get);
  wait_until_held();
  const Pushing pushing(*this);
  Bytes got;
  std::optional<V4Answer> answer;
  while ((answer = peer_->answer()) && answer->code != Response::get_end) {
    ASSERT_EQ(answer->failure(), "");
    got.insert(got.end(), answer->bulk.begin(), answer->bulk.end());
  }
  ASSERT_TRUE(answer);
  EXPECT_EQ(got, blobs_.all[1].stored);
}

TEST_F(V4Traffic, downloads_that_are_held_leave_half_of_the_memory_to_the_others) {
  start_with("[[traffic]]\nname = 'slow'\nrate = '4KiB'\ndirection = 'out'\naccounts = ['alice']\n",
             {"server.memory=1MiB"});
  put_all();
  ASSERT_EQ(ask(*peer_, Request::commit, blobs_.commit(owner_)).code, Response::commit);
  const Json buffers = daemon_->status()["buffers"];
  v4::pb::Get get;
  get.set_ids(v4::join_ids(std::array{blobs_.all[1].head.id}));
  std::vector<std::unique_ptr<V4Peer>> held;
  for (size_t i = 0; i < buffers["limit"].get<size_t>(); ++i) {
    held.push_back(member(owner_));
    held.back()->request(Request::get, 100, get);
  }
  const size_t half = buffers["limit"].get<size_t>() / 2;
  while (daemon_->status()["buffers"]["taken"].get<size_t>() < half) std::this_thread::yield();
  V4Owner bob = V4Owner::make();
  auto other = enrolled("bob", bob);
  const V4Blobs blobs(100'000, 2);
  for (const auto& blob : blobs.all) other->put(other->next_id++, blob.head, blob.stored);
  EXPECT_EQ(ask(*other, Request::commit, blobs.commit(bob)).code, Response::commit);
}

TEST_F(V4Traffic, a_rule_about_others_holds_nobody_up) {
  start_with(std::string(kSlow) + "accounts = ['bob']\n" +
             "[[traffic]]\nname = 'far'\nrate = '4KiB'\nnetworks = ['192.0.2.0/24']\n");
  put_all();
  EXPECT_EQ(ask(*peer_, Request::commit, blobs_.commit(owner_)).code, Response::commit);
  EXPECT_EQ(let_go(), 0U);
}

TEST_F(V4Traffic, a_rule_about_an_account_is_about_its_copies_too) {
  start_with(
      "[[traffic]]\nname = 'alices'\nrate = '16MiB'\naccounts = ['alice']\ndirection = 'out'\n");
  put_all();
  ASSERT_EQ(ask(*peer_, Request::commit, blobs_.commit(owner_)).code, Response::commit);
  const auto made = admin({{"command", "token.create"}, {"replica", true}, {"name", "off-site"}});
  const auto token = repository::parse_replica_token(report::text_of(*made, "token")).value();
  auto replica = peer();
  ASSERT_TRUE(replica->hello());
  v4::pb::ReplicaLogin login;
  login.set_token_id(v4::field_of(token.id.view()));
  login.set_token_secret(v4::field_of(token.secret.view()));
  ASSERT_EQ(ask(*replica, Request::replica_login, login).code, Response::replica_login);
  EXPECT_EQ(let_go(), 0U);
  v4::pb::ReplicaGet get;
  get.set_repository(v4::field_of(owner_.record.id.view()));
  get.set_ids(v4::join_ids(std::array{blobs_.all[1].head.id}));
  V4Answer answer = ask(*replica, Request::replica_get, get);
  while (answer.code == Response::blob || answer.code == Response::blob_more)
    answer = *replica->answer();
  EXPECT_EQ(answer.code, Response::get_end);
  EXPECT_GT(let_go(), 0U);
}

TEST_F(V4Traffic, an_operator_lets_go_who_waits_and_that_is_on_record) {
  start_with(kSlow);
  put_all();
  wait_until_held();
  const Json paused = admin({{"command", "traffic.pause"}, {"for_ns", 3'600'000'000'000}}).value();
  EXPECT_EQ(paused["paused"], true);
  EXPECT_EQ(paused["rules"][0]["holds"], false);
  EXPECT_EQ(ask(*peer_, Request::commit, blobs_.commit(owner_)).code, Response::commit);
  EXPECT_EQ(admin({{"command", "traffic.resume"}}).value()["paused"], false);
  EXPECT_FALSE(admin({{"command", "traffic.pause"}, {"for_ns", 1}, {"until_ns", 2}}));
  constexpr int64_t kForever = std::numeric_limits<int64_t>::max();
  EXPECT_FALSE(admin({{"command", "traffic.pause"}, {"for_ns", kForever}}));
  EXPECT_FALSE(admin(
      {{"command", "traffic.set"}, {"rule", "slow"}, {"rate", 1'048'576}, {"burst", kForever}}));
  EXPECT_EQ(admin({{"command", "traffic.set"}, {"rule", "slow"}, {"rate", 1'048'576}})
                .value()["rules"][0]["rate"],
            1'048'576);
  const std::string log = report::json_line(admin({{"command", "audit.list"}}).value());
  for (const char* act : {"admin.traffic.pause", "admin.traffic.resume", "admin.traffic.set"})
    EXPECT_THAT(log, testing::HasSubstr(act));
}

TEST_F(V4Traffic, a_daemon_ends_though_sessions_are_held_up) {
  start_with(kSlow);
  put_all();
  wait_until_held();
  stop();
  EXPECT_FALSE(log_.contains("event=sessions.stuck")) << log_.text();
}

}  // namespace
}  // namespace cb::server
