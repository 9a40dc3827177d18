// SPDX-License-Identifier: Apache-2.0
//
// Damage on either side that the other one can mend.
#include <gmock/gmock.h>

#include "tests/replica/two_servers.h"

namespace cb::replication {
namespace {

using report::Json;
using server::V4Blobs;
using testing::HasSubstr;

class HealingReplica : public TwoServers {
 protected:
  static std::string outcome(const Json& report) { return report::text_of(report, "outcome"); }
};

TEST_F(HealingReplica, fetches_anew_what_its_verification_condemned) {
  start();
  const V4Blobs first = back_up(*peer_, owner_);
  add_source(token());
  ASSERT_EQ(outcome(copy_.run()), "done");
  ASSERT_EQ(copy_.damage(first.all[2]), 1U);
  copy_.run({{"job", "verify"}});
  ASSERT_EQ(outcome(copy_.run()), "done");
  EXPECT_EQ(pull().value("healed", uint64_t{0}), 1U);
  expect_whole(*session(copy_), first);
}

TEST_F(HealingReplica, heals_its_source_without_copying_anything) {
  start();
  const V4Blobs first = back_up(*peer_, owner_);
  add_source(token());
  ASSERT_EQ(outcome(copy_.run()), "done");
  const auto back = copy_.admin(
      {{"command", "token.create"}, {"replica", true}, {"name", "home"}, {"accounts", {}}});
  ASSERT_TRUE(back) << back.error().text();
  ASSERT_TRUE(source_.admin({{"command", "replica.add"},
                             {"name", "off-site"},
                             {"token", report::text_of(*back, "token")},
                             {"servers", Json::array({copy_.address()})},
                             {"heal_only", true}}));
  ASSERT_EQ(source_.damage(first.all[2]), 1U);
  source_.run({{"job", "verify"}});
  const Json report = source_.run();
  ASSERT_EQ(outcome(report), "done") << report.dump();
  EXPECT_THAT(report.dump(), HasSubstr("1 blobs healed"));
  expect_whole(*session(source_), first);
  EXPECT_FALSE(session(source_)->welcome().is_copy);
  back_up(*peer_, owner_);
}

TEST_F(HealingReplica, is_given_no_damage_and_takes_the_snapshot_when_it_is_mended) {
  start();
  const V4Blobs first = back_up(*peer_, owner_);
  const V4Blobs second = back_up(*peer_, owner_);
  ASSERT_EQ(source_.damage(first.all[2]), 1U);
  add_source(token());
  const Json report = copy_.run();
  EXPECT_EQ(outcome(report), "done") << report.dump();
  EXPECT_THAT(report::text_of(pull(), "trouble"), HasSubstr("not whole at the source"));
  EXPECT_EQ(presence(*session(copy_)), "absent, here");
  expect_whole(*session(copy_), second);
  source_.run({{"job", "verify"}});
  peer_->put(peer_->next_id++, first.all[0].head, first.all[0].stored);
  peer_->put(peer_->next_id++, first.all[2].head, first.all[2].stored);
  peer_->request(v4::Request::flush, peer_->next_id++, v4::pb::Flush());
  ASSERT_EQ(peer_->answer()->code, v4::Response::flush);
  ASSERT_EQ(outcome(copy_.run()), "done");
  EXPECT_EQ(presence(*session(copy_)), "here, here");
  expect_whole(*session(copy_), first);
  EXPECT_EQ(report::text_of(pull(), "trouble"), "");
}

}  // namespace
}  // namespace cb::replication
