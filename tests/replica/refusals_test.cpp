// SPDX-License-Identifier: Apache-2.0
//
// What a replication does not take: the wrong server, the wrong token, another repository, a source
// that went back or tells another story. It stops, says so, and what is here stays.
#include <gmock/gmock.h>

#include "tests/replica/two_servers.h"

namespace cb::replication {
namespace {

using report::Json;
using server::V4Blobs;
using server::V4Owner;
using testing::HasSubstr;
using v4::Request;

class RefusedReplication : public TwoServers {
 protected:
  void expect_refused(const Json& report, const std::string& words) {
    EXPECT_EQ(report::text_of(report, "outcome"), "failed") << report.dump();
    EXPECT_THAT(report.dump(), HasSubstr(words));
  }
  // A copy that has the first snapshot.
  V4Blobs copied() {
    start();
    V4Blobs first = back_up(*peer_, owner_);
    add_source(token());
    EXPECT_EQ(report::text_of(copy_.run(), "outcome"), "done");
    return first;
  }
  void expect_kept(const V4Blobs& blobs) {
    const auto copied = session(copy_);
    EXPECT_EQ(copied->welcome().head_sequence, 1U);
    expect_whole(*copied, blobs);
  }
  // What the source has, as it is; and as it was.
  void keep(const std::string& name) {
    peer_.reset();
    source_.stop();
    move_parts(source_.folder_, source_.folder_.string() + name);
    restart();
  }
  void take(const std::string& name) {
    peer_.reset();
    source_.stop();
    const std::filesystem::path kept = source_.folder_.string() + name;
    move_parts(kept, source_.folder_);
    std::filesystem::remove_all(kept);
    restart();
  }
  static void move_parts(const std::filesystem::path& from, const std::filesystem::path& to) {
    std::filesystem::create_directories(to);
    for (const char* part :
         {"store", "catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"}) {
      std::filesystem::remove_all(to / part);
      if (std::filesystem::exists(from / part))
        std::filesystem::copy(from / part, to / part, std::filesystem::copy_options::recursive);
    }
  }
  // At another port.
  void restart() {
    source_.start();
    peer_ = source_.member(owner_);
    if (copy_.admin({{"command", "replica.remove"}, {"name", "home"}})) add_source(token_);
  }
  std::string token_;
};

TEST_F(RefusedReplication, of_a_server_with_another_pin) {
  start();
  back_up(*peer_, owner_);
  auto token = repository::parse_replica_token(this->token());
  ASSERT_TRUE(token);
  token->pin[0] ^= std::byte{1};
  add_source(*repository::format_replica_token(*token));
  expect_refused(copy_.run(), "auth");
  EXPECT_TRUE(copy_.admin({{"command", "account.list"}})->empty());
}

TEST_F(RefusedReplication, with_a_token_that_is_wrong_or_was_taken_back) {
  start();
  const std::string text = token();
  auto wrong = repository::parse_replica_token(text);
  wrong->secret.span()[0] ^= std::byte{1};
  add_source(*repository::format_replica_token(*wrong), {{"name", "wrong"}});
  expect_refused(copy_.run(), "is not known here, or was taken back");
  ASSERT_TRUE(copy_.admin({{"command", "replica.remove"}, {"name", "wrong"}}));
  add_source(text);
  EXPECT_EQ(report::text_of(copy_.run(), "outcome"), "done");
  ASSERT_TRUE(source_.admin({{"command", "replica.remove"}, {"name", "off-site"}}));
  expect_refused(copy_.run(), "is not known here, or was taken back");
}

TEST_F(RefusedReplication, that_would_lay_another_repository_over_one_that_is_here) {
  start();
  back_up(*peer_, owner_);
  V4Owner other = V4Owner::make();
  auto others_peer = copy_.enrolled("alice", other);
  const V4Blobs theirs = back_up(*others_peer, other);
  add_source(token());
  expect_refused(copy_.run(), "is another repository or another owner's than that here");
  auto still = copy_.member(other);
  v4::pb::Get get;
  get.set_ids(v4::join_ids(std::vector<repository::BlobId>{theirs.snapshot}));
  still->request(Request::get, still->next_id++, get);
  EXPECT_EQ(still->answer()->code, v4::Response::blob);
}

TEST_F(RefusedReplication, of_a_source_that_went_back) {
  start();
  token_ = token();
  keep("-before");
  const V4Blobs first = back_up(*peer_, owner_);
  add_source(token_);
  ASSERT_EQ(report::text_of(copy_.run(), "outcome"), "done");
  take("-before");
  expect_refused(copy_.run(), "the source went back");
  expect_kept(first);
}

TEST_F(RefusedReplication, of_a_source_whose_chain_forked) {
  start();
  token_ = token();
  keep("-before");
  const V4Blobs first = back_up(*peer_, owner_);
  add_source(token_);
  ASSERT_EQ(report::text_of(copy_.run(), "outcome"), "done");
  take("-before");
  back_up(*peer_, owner_);
  back_up(*peer_, owner_);
  expect_refused(copy_.run(), "the chain forked");
  expect_kept(first);
}

TEST_F(RefusedReplication, is_told_and_audited_and_keeps_no_other_account_from_its_turn) {
  start();
  V4Owner bob = V4Owner::make();
  auto bobs_peer = source_.enrolled("bob", bob);
  back_up(*peer_, owner_);
  back_up(*bobs_peer, bob);
  V4Owner other = V4Owner::make();
  copy_.enrolled("alice", other);
  add_source(token());
  expect_refused(copy_.run(), "another owner's");
  EXPECT_FALSE(report::text_of(pull("alice"), "trouble").empty());
  EXPECT_EQ(report::text_of(pull("bob"), "trouble"), "");
  EXPECT_GT(pull("bob").value("good_ns", int64_t{0}), 0);
  const auto audit = copy_.admin({{"command", "audit.list"}, {"action", "replication.refused"}});
  ASSERT_TRUE(audit);
  EXPECT_THAT(audit->dump(), HasSubstr("source home account alice"));
}

TEST_F(RefusedReplication, of_a_hundred_accounts_ends_the_turn_of_their_source) {
  start();
  add_source(token());
  copy_.change_accounts = [](std::vector<SourceAccount>& all) {
    all.clear();
    for (int i = 100; i < 300; ++i) {
      SourceAccount& made_up = all.emplace_back();
      made_up.account = "a" + std::to_string(i);
      made_up.repository.bytes.fill(std::byte{9});
    }
  };
  const Json report = copy_.run();
  EXPECT_EQ(report::text_of(report, "outcome"), "failed");
  EXPECT_FALSE(pull("a199").empty());
  EXPECT_TRUE(pull("a200").empty());
  EXPECT_THAT(report::text_of(pull(""), "trouble"), HasSubstr("100 accounts that are refused"));
}

TEST_F(RefusedReplication, is_told_of_an_account_that_the_source_lists_no_more) {
  const V4Blobs first = copied();
  copy_.change_accounts = [](std::vector<SourceAccount>& all) { all.clear(); };
  expect_refused(copy_.run(), "the source lists it no more");
  EXPECT_THAT(report::text_of(pull("alice"), "trouble"), HasSubstr("was copied before"));
  EXPECT_EQ(pull("alice").value("head", uint64_t{0}), 1U);
  expect_kept(first);
  copy_.change_accounts = {};
  EXPECT_EQ(report::text_of(copy_.run(), "outcome"), "done");
  EXPECT_EQ(report::text_of(pull("alice"), "trouble"), "");
}

TEST_F(RefusedReplication, of_this_servers_own_repository) {
  start();
  back_up(*peer_, owner_);
  const std::string text = token();
  ASSERT_TRUE(source_.admin({{"command", "replica.add"},
                             {"name", "myself"},
                             {"token", text},
                             {"servers", Json::array({source_.address()})}}));
  const Json report = source_.run();
  EXPECT_THAT(report.dump(), HasSubstr("is this server's own, and no copy"));
  EXPECT_EQ(presence(*session(source_)), "here");
}

}  // namespace
}  // namespace cb::replication
