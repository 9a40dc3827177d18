// SPDX-License-Identifier: Apache-2.0
//
// A server copies another's repositories, and serves them when that is gone.
#include <gmock/gmock.h>

#include "tests/replica/two_servers.h"

namespace cb::replication {
namespace {

using report::Json;
using server::V4Blobs;
using server::V4Owner;
using testing::HasSubstr;
using v4::Request;
using v4::Response;

class Replica : public TwoServers {
 protected:
  static std::string outcome(const Json& report) { return report::text_of(report, "outcome"); }
  static std::string why(const Json& report) {
    return report.contains("error") ? report["error"].dump() : "";
  }
};

TEST_F(Replica, serves_what_its_source_had_byte_for_byte_when_that_is_gone) {
  start();
  const V4Blobs first = back_up(*peer_, owner_);
  const V4Blobs second = back_up(*peer_, owner_, 600);
  const auto server_key = session(source_)->welcome().server_key;
  add_source(token());
  const Json report = copy_.run();
  ASSERT_EQ(outcome(report), "done") << report.dump();
  peer_.reset();
  source_.stop();
  const auto copied = session(copy_);
  EXPECT_EQ(copied->welcome().account, "alice");
  EXPECT_EQ(copied->welcome().server_key, server_key) << "what signs the chain is the source";
  EXPECT_TRUE(copied->welcome().is_copy);
  EXPECT_EQ(copied->welcome().head_sequence, 2U);
  EXPECT_EQ(presence(*copied), "here, here");
  expect_whole(*copied, first);
  expect_whole(*copied, second);
  EXPECT_EQ(copied->slots()->size(), 1U);
  EXPECT_EQ(copied->devices()->devices.size(), 1U);
  EXPECT_EQ(copied->chain(1)->commits.size(), 2U);
}

TEST_F(Replica, takes_no_signatures_and_lacks_none) {
  start();
  const V4Blobs blobs = back_up(*peer_, owner_);
  repository::StoredBlob signature;
  signature.head.id = server::random_blob_id();
  signature.head.kind = repository::BlobKind::signature;
  signature.head.children = {blobs.all[1].head.id};
  signature.stored = server::random_bytes(80);
  signature.head.stored_size = 80;
  const auto origin = session(source_);
  ASSERT_TRUE(origin->put(signature));
  ASSERT_TRUE(origin->flush());
  EXPECT_EQ(origin->signatures(0)->ids, std::vector{signature.head.id});
  add_source(token());
  ASSERT_EQ(outcome(copy_.run()), "done");
  const auto copied = session(copy_);
  expect_whole(*copied, blobs);
  const auto told = copied->signatures(0);
  ASSERT_TRUE(told) << told.error().text();
  EXPECT_TRUE(told->ids.empty() && told->last);
  EXPECT_TRUE(copy_.run()["outcome"] == "done");
}

TEST_F(Replica, takes_only_what_is_new_and_changes_nothing_when_nothing_is) {
  start();
  back_up(*peer_, owner_);
  add_source(token());
  ASSERT_EQ(outcome(copy_.run()), "done");
  const auto blobs = pull().value("blobs", uint64_t{0});
  EXPECT_EQ(blobs, 5U) << "three of data, a node, a snapshot; session records are not counted";
  ASSERT_EQ(outcome(copy_.run()), "done");
  EXPECT_EQ(pull().value("blobs", uint64_t{0}), blobs);
  const V4Blobs third = back_up(*peer_, owner_, 1);
  ASSERT_EQ(outcome(copy_.run()), "done");
  EXPECT_EQ(pull().value("blobs", uint64_t{0}), blobs + 3);
  EXPECT_EQ(pull().value("head", uint64_t{0}), 2U);
  expect_whole(*session(copy_), third);
}

TEST_F(Replica, sees_no_other_accounts_than_its_token_names) {
  start();
  V4Owner bob = V4Owner::make();
  auto bobs_peer = source_.enrolled("bob", bob);
  back_up(*peer_, owner_);
  back_up(*bobs_peer, bob);
  add_source(token("off-site", {"bob"}));
  ASSERT_EQ(outcome(copy_.run()), "done");
  EXPECT_TRUE(pull("alice").empty());
  EXPECT_FALSE(pull("bob").empty());
  const auto accounts = copy_.admin({{"command", "account.list"}});
  ASSERT_EQ(accounts->size(), 1U);
  EXPECT_EQ(report::text_of(accounts->at(0), "name"), "bob");
}

TEST_F(Replica, leaves_out_accounts_that_its_operator_did_not_choose) {
  start();
  V4Owner bob = V4Owner::make();
  auto bobs_peer = source_.enrolled("bob", bob);
  back_up(*bobs_peer, bob);
  add_source(token(), {{"accounts", Json::array({"bob"})}});
  ASSERT_EQ(outcome(copy_.run()), "done");
  EXPECT_TRUE(pull("alice").empty());
  EXPECT_FALSE(pull("bob").empty());
}

TEST_F(Replica, reads_from_a_source_that_is_read_only_and_waits_while_it_is_so_itself) {
  start();
  const V4Blobs first = back_up(*peer_, owner_);
  add_source(token());
  const auto tell = [](ReplicaServer& server, const char* mode) {
    ASSERT_TRUE(server.admin({{"command", "store.mode"}, {"mode", mode}, {"drain_ns", 0}}));
  };
  tell(source_, "offline");
  EXPECT_EQ(outcome(copy_.run()), "failed");
  tell(source_, "read-only");
  tell(copy_, "read-only");
  EXPECT_FALSE(copy_.admin({{"command", "job.run"}, {"job", "replicate"}}));
  tell(copy_, "normal");
  const Json report = copy_.run();
  EXPECT_EQ(outcome(report), "done") << why(report);
  expect_whole(*session(copy_), first);
}

TEST_F(Replica, refuses_whatever_would_change_a_copy_and_says_why) {
  start();
  const V4Blobs first = back_up(*peer_, owner_);
  add_source(token());
  ASSERT_EQ(outcome(copy_.run()), "done");
  auto owner = copy_.member(owner_);
  v4::pb::Forget forget;
  forget.set_snapshot(v4::field_of(first.snapshot.view()));
  for (const Request request : {Request::forget, Request::undelete}) {
    owner->request(request, owner->next_id++, forget);
    const auto answer = owner->answer();
    ASSERT_TRUE(answer);
    EXPECT_THAT(answer->failure(), HasSubstr("is a copy of that of server home"));
    EXPECT_FALSE(answer->as<v4::pb::Failure>().fatal());
  }
  owner->request(Request::commit, owner->next_id++, V4Blobs().commit(owner_));
  EXPECT_THAT(owner->answer()->failure(), HasSubstr("only read here"));
  const V4Blobs more;
  owner->put(owner->next_id++, more.all[0].head, more.all[0].stored);
  const auto last = owner->answer();
  ASSERT_TRUE(last);
  EXPECT_THAT(last->failure(), HasSubstr("only read here"));
  EXPECT_FALSE(last->as<v4::pb::Failure>().fatal()) << "as by a full store";
  for (const auto& blob : more.all) owner->put(owner->next_id++, blob.head, blob.stored);
  owner->request(Request::flush, owner->next_id++, v4::pb::Flush());
  EXPECT_THAT(owner->answer()->failure(), HasSubstr("only read here"));
  owner->request(Request::counts, owner->next_id++, v4::pb::Counts());
  EXPECT_EQ(owner->answer()->as<v4::pb::CountsReply>().snapshots(), 1U);
  EXPECT_EQ(presence(*session(copy_)), "here");
}

TEST_F(Replica, goes_on_after_each_end_and_fetches_nothing_twice) {
  start();
  const V4Blobs first = back_up(*peer_, owner_, 700);
  const V4Blobs second = back_up(*peer_, owner_, 300);
  add_source(token());
  int runs = 0;
  for (bool is_short = true; is_short && runs < 50; ++runs) {
    const Json report = copy_.run({{"job", "replicate"}, {"most_bytes", 500'000}});
    ASSERT_EQ(outcome(report), "done") << report.dump();
    is_short = report.value("short", false);
    copy_.stop();
    copy_.start();
  }
  EXPECT_GT(runs, 5);
  EXPECT_LT(runs, 50);
  EXPECT_EQ(pull().value("blobs", uint64_t{0}), 700U + 300U + 4U);
  const auto copied = session(copy_);
  expect_whole(*copied, first);
  expect_whole(*copied, second);
  const auto checked = copy_.admin({{"command", "check"}, {"read_data", true}});
  ASSERT_TRUE(checked) << checked.error().text();
  EXPECT_TRUE((*checked)["findings"].empty()) << checked->dump();
}

TEST_F(Replica, brings_what_writers_put_where_only_they_lean_on_it) {
  start();
  const server::V4Invited invited = source_.joined(*peer_, owner_, repository::Role::writer);
  const V4Owner writer = invited.member(owner_);
  auto writers_peer = source_.member(writer);
  const V4Blobs theirs = back_up(*writers_peer, writer);
  add_source(token());
  ASSERT_EQ(outcome(copy_.run()), "done");
  const auto copied = session(copy_);
  expect_whole(*copied, theirs);
  std::vector<repository::BlobId> ids;
  for (const auto& blob : theirs.all) ids.push_back(blob.head.id);
  const auto there = copied->have(ids);
  ASSERT_TRUE(there) << there.error().text();
  EXPECT_EQ(*there, std::vector<bool>(ids.size(), false)) << "owners do not lean on it";
  auto at_copy = copy_.member(writer);
  v4::pb::Have have;
  have.set_ids(v4::join_ids(ids));
  at_copy->request(Request::have, at_copy->next_id++, have);
  EXPECT_EQ(at_copy->answer()->as<v4::pb::HaveReply>().present(), std::string(ids.size(), '\1'));
}

TEST_F(Replica, follows_rotation_of_keys_and_revocation) {
  start();
  const server::V4Invited invited = source_.joined(*peer_, owner_, repository::Role::reader);
  back_up(*peer_, owner_);
  add_source(token());
  ASSERT_EQ(outcome(copy_.run()), "done");
  EXPECT_EQ(session(copy_)->devices()->devices.size(), 2U);
  const auto next = server::next_record(owner_, {server::revocation(invited.device.view(), 2)});
  peer_->request(Request::put_record, peer_->next_id++, server::put_record(next));
  ASSERT_EQ(peer_->answer()->code, Response::done);
  ASSERT_EQ(outcome(copy_.run()), "done") << pull().dump();
  const auto copied = session(copy_);
  EXPECT_EQ(copied->welcome().record, next);
  auto revoked = std::make_unique<server::V4Peer>(copy_.port(), copy_.pin_);
  const auto answer = revoked->login(invited.member(owner_));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, Response::failure);
}

TEST_F(Replica, lets_a_person_with_the_password_add_a_device_and_read) {
  start();
  const V4Blobs first = back_up(*peer_, owner_);
  source_.set_password("alice", "correct horse");
  add_source(token());
  ASSERT_EQ(outcome(copy_.run()), "done");
  source_.stop();
  auto person = std::make_unique<server::V4Peer>(copy_.port(), copy_.pin_);
  ASSERT_TRUE(person->hello());
  v4::pb::PasswordLogin login;
  login.set_account("alice");
  login.set_password("correct horse");
  person->request(Request::password_login, person->next_id++, login);
  const auto entered = person->answer();
  ASSERT_TRUE(entered && entered->code == Response::password_login) << entered->failure();
  EXPECT_FALSE(entered->as<v4::pb::PasswordLoginReply>().chain_key().empty());
  const V4Owner again = owner_.with_another_device();
  v4::pb::AddDevice device;
  device.set_certificate(v4::field_of(repository::encode(again.certificate)));
  device.set_signature(v4::field_of(*again.key.sign(person->statement(again.device))));
  person->request(Request::add_device, person->next_id++, device);
  const auto added = person->answer();
  ASSERT_TRUE(added && added->code == Response::done) << added->failure();
  auto reader = copy_.member(again);
  v4::pb::Get get;
  get.set_ids(v4::join_ids(std::vector<repository::BlobId>{first.snapshot}));
  reader->request(Request::get, reader->next_id++, get);
  EXPECT_EQ(reader->answer()->code, Response::blob);
}

TEST_F(Replica, keeps_what_is_removed_there_or_removes_it_too_as_it_is_told) {
  start();
  const V4Blobs first = back_up(*peer_, owner_);
  back_up(*peer_, owner_);
  add_source(token());
  ASSERT_EQ(outcome(copy_.run()), "done");
  v4::pb::Forget forget;
  forget.set_snapshot(v4::field_of(first.snapshot.view()));
  peer_->request(Request::forget, peer_->next_id++, forget);
  ASSERT_EQ(peer_->answer()->code, Response::forget);
  ASSERT_EQ(outcome(copy_.run()), "done");
  EXPECT_EQ(presence(*session(copy_)), "kept, here");
  expect_whole(*session(copy_), first);
  EXPECT_EQ(session(copy_)->snapshots(false)->size(), 1U);
}

TEST_F(Replica, applies_rules_of_its_own_and_tells_what_it_lacks) {
  source_.clock_.ahead_ns = -std::chrono::nanoseconds(std::chrono::hours(49)).count();
  start();
  const V4Blobs first = back_up(*peer_, owner_);
  source_.clock_.ahead_ns = 0;
  const V4Blobs second = back_up(*peer_, owner_);
  add_source(token());
  ASSERT_EQ(outcome(copy_.run()), "done");
  ASSERT_TRUE(copy_.admin({{"command", "retention.set"},
                           {"account", "alice"},
                           {"source", ""},
                           {"rules", "keep-last 1"}}));
  const Json report = copy_.run({{"job", "retention"}});
  ASSERT_EQ(outcome(report), "done") << report.dump();
  EXPECT_EQ(presence(*session(copy_)), "absent, here");
  EXPECT_EQ(presence(*session(source_)), "here, here") << "that of the source is not touched";
  ASSERT_EQ(outcome(copy_.run()), "done");
  EXPECT_EQ(presence(*session(copy_)), "absent, here") << "and does not come back";
  expect_whole(*session(copy_), second);
}

}  // namespace
}  // namespace cb::replication
