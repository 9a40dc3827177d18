// SPDX-License-Identifier: Apache-2.0
//
// Limits as clients of protocol 4 and operators meet them: the real daemon, real TLS.
#include <gmock/gmock.h>

#include <chrono>

#include "core/server/stopped_clock.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using report::Json;
using testing::HasSubstr;
using v4::Request;
using v4::Response;

constexpr uint64_t kLeast = 16 * 1024 * 1024;

class V4Limits : public V4Server {
 protected:
  // Puts all blobs, the first under request 100; then a flush. What refused it: of the first
  // failure.
  static Error put_until_refused(V4Peer& peer, const V4Blobs& blobs) {
    for (uint32_t i = 0; i < blobs.all.size(); ++i)
      EXPECT_TRUE(peer.put(100 + i, blobs.all[i].head, blobs.all[i].stored));
    peer.request(Request::flush, 90);
    const auto first = peer.answer();
    EXPECT_TRUE(first && first->code == Response::failure) << "nothing was refused";
    if (!first || first->code != Response::failure) return {};
    EXPECT_GE(first->request_id, 100U) << "the blob is named";
    EXPECT_FALSE(first->as<v4::pb::Failure>().fatal());
    const auto flushed = peer.answer();
    EXPECT_TRUE(flushed && flushed->request_id == 90U);
    return v4::error_of(first->as<v4::pb::Failure>());
  }
  static void commit(V4Peer& peer, const V4Owner& owner, const V4Blobs& blobs) {
    for (const auto& blob : blobs.all) peer.put(peer.next_id++, blob.head, blob.stored);
    const V4Answer answer = ask(peer, Request::commit, blobs.commit(owner));
    ASSERT_EQ(answer.code, Response::commit) << answer.failure();
  }
  static size_t count_of_there(V4Peer& peer, const V4Blobs& blobs) {
    std::vector<repository::BlobId> ids;
    for (const auto& blob : blobs.all) ids.push_back(blob.head.id);
    v4::pb::Have have;
    have.set_ids(v4::join_ids(ids));
    const auto reply = ask(peer, Request::have, have).as<v4::pb::HaveReply>();
    const std::string& present = reply.present();
    return static_cast<size_t>(std::count(present.begin(), present.end(), '\1'));
  }
  v4::pb::Room room_of(const V4Owner& owner) {
    const auto answer = peer()->login(owner);
    EXPECT_TRUE(answer && answer->code == Response::login);
    return answer ? answer->as<v4::pb::LoginReply>().room() : v4::pb::Room();
  }
  Json shown(const std::string& account) {
    const auto all = admin({{"command", "limits.show"}, {"account", account}});
    EXPECT_TRUE(all);
    return all ? (*all)["accounts"][0] : Json::object();
  }
  Result<Json> set(const Json& values, const std::string& device = "") {
    return admin(
        {{"command", "limits.set"}, {"account", "alice"}, {"device", device}, {"values", values}});
  }
};

TEST_F(V4Limits, a_session_over_its_quota_keeps_what_was_acknowledged_and_hears_why) {
  start({"limits.account_stored=16MiB"});
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Blobs blobs(3'000'000, 8);
  const Error why = put_until_refused(*peer, blobs);
  EXPECT_EQ(why.code, Code::limit);
  EXPECT_EQ(why.retry, Retry::no);
  EXPECT_THAT(why.object, HasSubstr("account alice"));
  EXPECT_THAT(why.cause, HasSubstr("of the 16.0 MiB that it may"));
  EXPECT_THAT(why.advice, HasSubstr("forget snapshots"));
  const size_t kept = peer->taken.durable();
  EXPECT_EQ(kept, 6U) << "its session record and five blobs of 3 MB";
  EXPECT_EQ(count_of_there(*member(owner), blobs), kept);
  const Json use = shown("alice")["use"];
  EXPECT_LE(use["stored"], kLeast);
  EXPECT_GT(use["stored"], 15'000'000);
}

TEST_F(V4Limits, a_login_tells_what_is_stored_what_may_be_and_what_the_last_backup_took) {
  start({"limits.account_stored=64MiB", "limits.device_soft=32MiB"});
  V4Owner owner = V4Owner::make();
  commit(*enrolled("alice", owner), owner, V4Blobs(50'000, 2));
  const v4::pb::Room room = room_of(owner);
  EXPECT_GT(room.account().stored(), 100'000U);
  EXPECT_EQ(room.account().limit(), 64 * kMiB);
  EXPECT_EQ(room.account().soft(), 0U);
  EXPECT_EQ(room.device().stored(), room.account().stored());
  EXPECT_EQ(room.device().limit(), 0U);
  EXPECT_EQ(room.device().soft(), 32 * kMiB);
  EXPECT_EQ(room.device().until_ns(), 0);
  EXPECT_GT(room.growth(), 100'000U);
  EXPECT_FALSE(room.account().is_over());
  EXPECT_FALSE(room.is_low());
}

TEST_F(V4Limits, a_device_that_fills_its_share_leaves_the_others_theirs) {
  start({"limits.device_stored=16MiB", "limits.account_stored=64MiB"});
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Invited greedy = joined(*peer, owner, repository::Role::writer);
  auto greedy_peer = member(greedy.member(owner));
  const Error why = put_until_refused(*greedy_peer, V4Blobs(3'000'000, 8));
  EXPECT_EQ(why.code, Code::limit);
  EXPECT_THAT(why.object, HasSubstr("device " + greedy.device.hex()));
  commit(*peer, owner, V4Blobs(3'000'000, 4));
  EXPECT_TRUE(room_of(greedy.member(owner)).account().stored() > 25'000'000U);
}

TEST_F(V4Limits, one_session_too_many_is_busy_and_comes_in_when_another_ends) {
  start({"limits.device_sessions=1"});
  V4Owner owner = V4Owner::make();
  auto first = enrolled("alice", owner);
  auto second = peer();
  const auto refused = second->login(owner);
  ASSERT_TRUE(refused);
  ASSERT_EQ(refused->code, Response::failure);
  const Error why = v4::error_of(refused->as<v4::pb::Failure>());
  EXPECT_EQ(why.code, Code::busy);
  EXPECT_EQ(why.retry, Retry::yes);
  EXPECT_TRUE(second->ended());
  set_password("alice", "open sesame");
  v4::pb::PasswordLogin person;
  person.set_account("alice");
  person.set_password("open sesame");
  auto other = peer();
  ASSERT_TRUE(other->hello());
  EXPECT_EQ(ask(*other, Request::password_login, person).code, Response::password_login)
      << "a person must come in";
  first.reset();
  other.reset();
  wait_until_idle();
  EXPECT_EQ(peer()->login(owner)->code, Response::login);
  EXPECT_EQ((*admin({{"command", "limits.show"}}))["refused"]["sessions"], 1);
  EXPECT_EQ(daemon_->status()["v4"]["disorders"], 0) << "nobody broke a rule";
}

class V4LostSession : public V4Limits, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Limits, V4LostSession,
                         testing::Values("limits.device_sessions=1", "limits.account_sessions=1"));

TEST_P(V4LostSession, gives_its_place_to_its_device_when_it_has_been_silent) {
  StoppedClock clock;
  seams_.clock = &clock;
  start({GetParam()});
  V4Owner owner = V4Owner::make();
  const auto lost = enrolled("alice", owner);
  EXPECT_EQ(ask(*lost, Request::heartbeat, v4::pb::Heartbeat()).code, Response::heartbeat);
  EXPECT_EQ(peer()->login(owner)->code, Response::failure) << "it may still be there";
  clock.forward(std::chrono::seconds(61));
  const auto again = peer();
  EXPECT_EQ(again->login(owner)->code, Response::login);
  EXPECT_TRUE(lost->ended());
  EXPECT_EQ(peer()->login(owner)->code, Response::failure) << "that is one session again";
  daemon_.reset();  // before the clock
}

TEST_F(V4Limits, requests_that_come_too_fast_wait_and_all_are_answered) {
  start({"limits.requests_per_second=50"});
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const auto begun = std::chrono::steady_clock::now();
  for (uint32_t id = 1; id <= 120; ++id) peer->request(Request::counts, id);
  for (uint32_t id = 1; id <= 120; ++id) {
    const auto answer = peer->answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->code, Response::counts);
    EXPECT_EQ(answer->request_id, id);
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(1300))
      << "50 at once, then 50 a second";
}

TEST_F(V4Limits, a_session_may_send_so_much_and_the_next_one_goes_on) {
  start({"limits.session_upload=16MiB"});
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Blobs blobs(3'000'000, 8);
  const Error why = put_until_refused(*peer, blobs);
  EXPECT_EQ(why.code, Code::limit);
  EXPECT_THAT(why.text(), HasSubstr("that one session may"));
  const size_t kept = peer->taken.durable();
  EXPECT_EQ(kept, 6U);
  auto next = member(owner);
  for (size_t i = kept; i < blobs.all.size(); ++i)
    next->put(next->next_id++, blobs.all[i].head, blobs.all[i].stored);
  const V4Answer answer = ask(*next, Request::commit, blobs.commit(owner));
  EXPECT_EQ(answer.code, Response::commit) << answer.failure();
}

TEST_F(V4Limits, a_snapshot_that_declares_too_much_is_not_committed_and_the_session_goes_on) {
  start({"limits.snapshot_size=16MiB"});
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  const V4Blobs blobs(5000, 1);
  for (const auto& blob : blobs.all) peer->put(peer->next_id++, blob.head, blob.stored);
  auto large = blobs.commit(owner);
  large.set_bytes(kLeast + 1);
  const V4Answer refused = ask(*peer, Request::commit, large);
  ASSERT_EQ(refused.code, Response::failure);
  EXPECT_EQ(v4::error_of(refused.as<v4::pb::Failure>()).code, Code::limit);
  EXPECT_EQ(ask(*peer, Request::commit, blobs.commit(owner)).code, Response::commit);
}

TEST_F(V4Limits, below_the_low_water_mark_no_backup_begins_and_the_rest_goes_on) {
  start({"limits.low_water=1000000GiB"});
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  EXPECT_TRUE(room_of(owner).is_low());
  const Error why = put_until_refused(*peer, V4Blobs(5000, 1));
  EXPECT_EQ(why.code, Code::no_space);
  EXPECT_THAT(why.cause, HasSubstr("low-water mark"));
  EXPECT_EQ(ask(*peer, Request::snapshots, v4::pb::Snapshots()).code, Response::snapshots);
  EXPECT_TRUE((*admin({{"command", "status"}}))["space"]["is_low"]);
  const auto collected = admin({{"command", "job.run"}, {"job", "collect"}});
  ASSERT_TRUE(collected) << collected.error().text();
  EXPECT_EQ((*collected)["outcome"], "done");
}

TEST_F(V4Limits, what_an_operator_sets_holds_for_a_running_session_and_is_audited) {
  start();
  V4Owner owner = V4Owner::make();
  auto peer = enrolled("alice", owner);
  commit(*peer, owner, V4Blobs(3'000'000, 2));
  const auto changed = set({{"stored", kLeast}, {"sessions", 5}});
  ASSERT_TRUE(changed) << changed.error().text();
  EXPECT_EQ((*changed)["limits"]["stored"], kLeast);
  EXPECT_EQ((*changed)["set"]["stored"]["value"], kLeast);
  EXPECT_EQ((*changed)["use"]["snapshots"], 1);
  EXPECT_EQ((*changed)["use"]["declared_bytes"], 5000);
  EXPECT_EQ(put_until_refused(*peer, V4Blobs(3'000'000, 8)).code, Code::limit);
  const auto audit = admin({{"command", "audit.list"}, {"action", "admin.limits"}});
  ASSERT_TRUE(audit);
  EXPECT_THAT(report::json_line(*audit), HasSubstr("admin.limits.set"));
  EXPECT_THAT(report::json_line(*audit), HasSubstr("sessions"));
}

TEST_F(V4Limits, limits_that_cannot_be_are_refused_with_the_reason_and_change_nothing) {
  start();
  V4Owner owner = V4Owner::make();
  enrolled("alice", owner);
  const auto why = [&](const Json& values, const std::string& device = "") {
    const auto done = set(values, device);
    EXPECT_FALSE(done);
    return done ? std::string() : done.error().text();
  };
  EXPECT_THAT(why({{"stored", kLeast}, {"soft", 2 * kLeast}}), HasSubstr("not below the hard one"));
  EXPECT_THAT(why({{"stored", 1000}}), HasSubstr("less than the packs"));
  EXPECT_THAT(why({{"colour", 1}}), HasSubstr("is not known"));
  EXPECT_THAT(why({{"stored", -5}}), HasSubstr("neither a number from 0 nor null"));
  EXPECT_THAT(why({{"stored", "much"}}), HasSubstr("neither a number from 0 nor null"));
  EXPECT_THAT(why(Json::object()), HasSubstr("were not given"));
  EXPECT_THAT(why({{"stored", kLeast}}, std::string(32, 'a')), HasSubstr("is none of account"));
  EXPECT_FALSE(
      admin({{"command", "limits.set"}, {"account", "nobody"}, {"values", {{"stored", kLeast}}}}));
  EXPECT_TRUE(shown("alice")["set"].empty());
}

TEST_F(V4Limits, configured_limits_that_cannot_be_keep_the_daemon_from_starting) {
  EXPECT_FALSE(try_start({"limits.account_stored=20MiB", "limits.account_soft=30MiB"}));
  EXPECT_FALSE(try_start({"limits.device_stored=1MiB"}));
  EXPECT_FALSE(try_start({"limits.reserve=1GiB", "limits.low_water=1MiB"}));
}

TEST_F(V4Limits, status_and_the_log_name_who_is_above_a_soft_limit) {
  start({"limits.account_stored=64MiB", "limits.account_soft=16MiB"});
  V4Owner owner = V4Owner::make();
  commit(*enrolled("alice", owner), owner, V4Blobs(3'000'000, 6));
  EXPECT_EQ(log_.count("limits.soft.exceeded"), 1U);
  const Json troubles = (*admin({{"command", "status"}}))["limits"];
  ASSERT_EQ(troubles.size(), 1U);
  EXPECT_EQ(troubles[0]["account"], "alice");
  EXPECT_EQ(troubles[0]["device"], "");
  EXPECT_EQ(troubles[0]["is_over"], false);
  EXPECT_GT(troubles[0]["soft_until_ns"], 0);
  EXPECT_GT(room_of(owner).account().until_ns(), 0);
}

}  // namespace
}  // namespace cb::server
