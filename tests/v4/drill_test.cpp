// SPDX-License-Identifier: Apache-2.0
//
// Results of drills over protocol 4, and what the server does with them, with the real daemon.
#include <gmock/gmock.h>

#include "core/repository/drill_record.h"
#include "core/server/drill_book.h"
#include "tests/v4/v4_server.h"

namespace cb::server {
namespace {

using report::Json;
using repository::DrillRecord;
using repository::Role;
using testing::HasSubstr;
using v4::Request;
using v4::Response;

constexpr int64_t kSecond = 1'000'000'000;

class V4Drill : public V4Server {
 protected:
  V4Drill() : owner_(V4Owner::make()) {}

  void begin(std::vector<std::string> set = {}) {
    start(std::move(set));
    peer_ = enrolled("alice", owner_);
    const V4Blobs blobs(3000);
    for (const auto& blob : blobs.all) peer_->put(peer_->next_id++, blob.head, blob.stored);
    EXPECT_EQ(ask(*peer_, Request::commit, blobs.commit(owner_)).code, Response::commit);
    snapshot_ = blobs.snapshot;
  }

  static int64_t now() { return os::system_clock().wall().count(); }

  // What a device says of a drill that ended so many seconds ago.
  [[nodiscard]] DrillRecord drilled(const V4Owner& by, int64_t seconds_ago,
                                    uint64_t problems = 0) const {
    DrillRecord record;
    record.device = by.device;
    record.ended_ns = now() - seconds_ago * kSecond;
    record.begun_ns = record.ended_ns - kSecond;
    record.snapshots = {snapshot_};
    record.files_listed = 100;
    record.files = 10;
    record.bytes = 12345;
    record.problems = problems;
    sign(by, record);
    return record;
  }
  static void sign(const V4Owner& by, DrillRecord& record) {
    EXPECT_TRUE(repository::sign_drill(record, by.record.id,
                                       [&](ByteView bytes) { return by.key.sign(bytes); }));
  }

  static V4Answer send(V4Peer& peer, const DrillRecord& record) {
    v4::pb::DrillResult message;
    message.set_record(v4::field_of(repository::encode(record)));
    return ask(peer, Request::drill_result, message);
  }
  // The code that it is refused with; nothing when it is taken.
  static std::optional<Code> refusal(V4Peer& peer, const DrillRecord& record) {
    const V4Answer answer = send(peer, record);
    if (answer.code == Response::drill_result) return std::nullopt;
    return static_cast<Code>(answer.as<v4::pb::Failure>().code());
  }

  Json listed() {
    const auto all = admin({{"command", "drill.list"}});
    EXPECT_TRUE(all) << all.error().text();
    return all && all->size() == 1 ? all->front() : Json();
  }

  V4Owner owner_;
  std::unique_ptr<V4Peer> peer_;
  repository::BlobId snapshot_;
};

TEST_F(V4Drill, an_owners_result_is_taken_and_listed) {
  begin();
  EXPECT_EQ(listed()["devices"].size(), 0u);
  const V4Answer answer = send(*peer_, drilled(owner_, 5));
  ASSERT_EQ(answer.code, Response::drill_result) << answer.failure();
  EXPECT_NEAR(static_cast<double>(answer.as<v4::pb::DrillReply>().received_ns()),
              static_cast<double>(now()), 60.0 * kSecond);
  const Json account = listed();
  EXPECT_EQ(account["account"], "alice");
  EXPECT_EQ(account["failed"], false);
  EXPECT_LT(account["age_ns"], 60 * kSecond);
  ASSERT_EQ(account["devices"].size(), 1u);
  const Json device = account["devices"][0];
  EXPECT_EQ(device["device"], owner_.device.hex());
  EXPECT_EQ(device["outcome"], "passed");
  EXPECT_EQ(device["files"], 10);
  EXPECT_EQ(device["files_listed"], 100);
  EXPECT_EQ(device["snapshots"][0], snapshot_.hex());
  EXPECT_EQ(log_.count("event=event.posted"), 0u) << log_.text();
}

TEST_F(V4Drill, a_readers_is_taken_and_a_writers_is_not) {
  begin();
  const V4Owner reader = joined(*peer_, owner_, Role::reader).member(owner_);
  EXPECT_EQ(refusal(*member(reader), drilled(reader, 5)), std::nullopt);
  const V4Owner writer = joined(*peer_, owner_, Role::writer).member(owner_);
  EXPECT_EQ(refusal(*member(writer), drilled(writer, 5)), Code::denied);
  EXPECT_EQ(listed()["devices"].size(), 1u);
}

TEST_F(V4Drill, a_forged_signature_is_refused) {
  begin();
  DrillRecord record = drilled(owner_, 5, 3);
  record.problems = 0;
  EXPECT_EQ(refusal(*peer_, record), Code::auth);
  V4Owner stranger = V4Owner::make();
  stranger.device = owner_.device;
  stranger.record.id = owner_.record.id;
  EXPECT_EQ(refusal(*peer_, drilled(stranger, 5)), Code::auth);
  EXPECT_EQ(listed()["devices"].size(), 0u);
}

TEST_F(V4Drill, another_devices_result_is_refused_though_it_is_signed_well) {
  begin();
  const V4Owner reader = joined(*peer_, owner_, Role::reader).member(owner_);
  EXPECT_EQ(refusal(*peer_, drilled(reader, 5)), Code::auth);
  EXPECT_EQ(listed()["devices"].size(), 0u);
}

TEST_F(V4Drill, a_result_of_another_repository_is_refused) {
  begin();
  DrillRecord record = drilled(owner_, 5);
  V4Owner elsewhere = V4Owner::make();
  EXPECT_TRUE(repository::sign_drill(record, elsewhere.record.id,
                                     [&](ByteView bytes) { return owner_.key.sign(bytes); }));
  EXPECT_EQ(refusal(*peer_, record), Code::auth);
}

TEST_F(V4Drill, a_replayed_or_older_result_is_refused_and_hides_no_failure) {
  begin();
  const DrillRecord good = drilled(owner_, 100);
  EXPECT_EQ(refusal(*peer_, good), std::nullopt);
  EXPECT_EQ(refusal(*peer_, good), Code::exists);
  EXPECT_EQ(refusal(*peer_, drilled(owner_, 50, 2)), std::nullopt);
  EXPECT_EQ(refusal(*peer_, good), Code::exists);
  EXPECT_EQ(refusal(*peer_, drilled(owner_, 60)), Code::exists);
  EXPECT_EQ(listed()["failed"], true);
}

TEST_F(V4Drill, a_clock_that_is_far_ahead_is_refused_since_nothing_newer_could_follow) {
  begin();
  EXPECT_EQ(refusal(*peer_, drilled(owner_, -3 * 86400)), Code::invalid);
  EXPECT_EQ(refusal(*peer_, drilled(owner_, -3600)), std::nullopt);
}

TEST_F(V4Drill, that_restored_nothing_passes_only_where_nothing_was) {
  begin();
  DrillRecord record = drilled(owner_, 50);
  record.files = record.bytes = 0;
  sign(owner_, record);
  EXPECT_EQ(refusal(*peer_, record), Code::invalid);
  record.problems = 1;
  sign(owner_, record);
  EXPECT_EQ(refusal(*peer_, record), std::nullopt) << "a damaged list of files, say";
  record.ended_ns += kSecond;
  record.problems = record.files_listed = 0;
  sign(owner_, record);
  EXPECT_EQ(refusal(*peer_, record), std::nullopt);
}

TEST_F(V4Drill, of_snapshots_that_never_were_here_is_refused) {
  begin();
  DrillRecord record = drilled(owner_, 5);
  record.snapshots.emplace_back().bytes.fill(std::byte{0xff});
  sign(owner_, record);
  EXPECT_EQ(refusal(*peer_, record), Code::invalid);
  EXPECT_EQ(listed()["devices"].size(), 0u);
}

TEST_F(V4Drill, one_that_fails_again_is_no_news) {
  begin();
  EXPECT_EQ(refusal(*peer_, drilled(owner_, 100, 2)), std::nullopt);
  EXPECT_EQ(refusal(*peer_, drilled(owner_, 50, 3)), std::nullopt);
  EXPECT_EQ(log_.count("kind=drill.failed"), 1u) << log_.text();
}

TEST_F(V4Drill, what_is_no_record_is_refused_and_the_session_goes_on) {
  begin();
  v4::pb::DrillResult message;
  message.set_record("\1nonsense");
  EXPECT_EQ(ask(*peer_, Request::drill_result, message).as<v4::pb::Failure>().code(),
            static_cast<int>(Code::corrupt));
  EXPECT_EQ(refusal(*peer_, drilled(owner_, 5)), std::nullopt);
}

TEST_F(V4Drill, a_failed_one_raises_an_alarm_and_a_good_one_ends_it) {
  begin();
  EXPECT_EQ(refusal(*peer_, drilled(owner_, 100, 2)), std::nullopt);
  EXPECT_TRUE(log_.contains("warn event=event.posted kind=drill.failed account=alice"))
      << log_.text();
  EXPECT_EQ(refusal(*peer_, drilled(owner_, 50)), std::nullopt);
  EXPECT_TRUE(log_.contains("info event=event.posted kind=drill.well account=alice"))
      << log_.text();
  EXPECT_EQ(refusal(*peer_, drilled(owner_, 10)), std::nullopt);
  EXPECT_EQ(log_.count("event=event.posted"), 2u) << log_.text();
}

TEST_F(V4Drill, one_that_does_not_come_is_told_once_until_one_came) {
  begin({"upkeep.drill_within=1ms"});
  const auto look = [this] { return admin({{"command", "job.run"}, {"job", "drills"}}); };
  ASSERT_TRUE(look());
  ASSERT_TRUE(look());
  EXPECT_EQ(log_.count("kind=drill.missing account=alice"), 1u) << log_.text();
  EXPECT_EQ(refusal(*peer_, drilled(owner_, 10)), std::nullopt);
  const auto again = look();
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(log_.count("kind=drill.missing account=alice"), 2u) << log_.text();
}

TEST_F(V4Drill, nobody_is_expected_to_drill_unless_the_configuration_says_so) {
  begin();
  const auto done = admin({{"command", "job.run"}, {"job", "drills"}});
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_THAT(report::text_of(*done, "summary"), HasSubstr("nobody is expected"));
  EXPECT_EQ(log_.count("kind=drill.missing"), 0u);
}

TEST(DrillMetrics, tell_age_and_failure_by_account) {
  AccountDrills passed;
  passed.account = "alice";
  passed.passed_ns = 40 * kSecond;
  AccountDrills never;
  never.account = "bob";
  never.since_ns = 10 * kSecond;
  never.has_failed = true;
  const std::string text = report::metrics_text(drill_metrics({passed, never}, 100 * kSecond));
  EXPECT_THAT(text, HasSubstr("cyberbackup_drill_age_seconds{account=\"alice\"} 60"));
  EXPECT_THAT(text, HasSubstr("cyberbackup_drill_age_seconds{account=\"bob\"} 90"));
  EXPECT_THAT(text, HasSubstr("cyberbackup_drill_failed{account=\"alice\"} 0"));
  EXPECT_THAT(text, HasSubstr("cyberbackup_drill_failed{account=\"bob\"} 1"));
}

}  // namespace
}  // namespace cb::server
