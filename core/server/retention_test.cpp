// SPDX-License-Identifier: Apache-2.0
//
// Rules, pins, the trash and what waits for a person, over a real engine.
#include "core/server/admin_retention.h"
#include "core/server/retention_fixture.h"

namespace cb::server {
namespace {

using report::Json;
using repository::BlobId;
using retention::kDay;

class RetentionJob : public RetentionHouse {
 protected:
  Json detail_of(const JobResult& result) { return result.detail["sources"][0]; }
  int64_t only_request() {
    const auto open = must(book_->requests());
    EXPECT_EQ(open.size(), 1u);
    return open.empty() ? 0 : open[0].number;
  }
  int64_t stay() {
    return rules_for(must(book_->rules(repository_)), key(owner_)).rules.trash_stay_ns;
  }
};

TEST_F(RetentionJob, without_rules_everything_stays) {
  commit_days(0, 30);
  set_day(2000);
  const JobResult result = run();
  EXPECT_FALSE(result.asks);
  EXPECT_EQ(result.summary, "put 0 snapshots into the trash, removed 0 from there");
  EXPECT_EQ(listed().size(), 30u);
}

TEST_F(RetentionJob, what_no_rule_keeps_goes_to_the_trash_and_after_its_stay_for_good) {
  set_rules("keep-daily 3, trash-stay 2d");
  std::vector<BlobId> ids;
  for (int day = 0; day < 10; ++day) {
    set_day(day, 3);
    ids.push_back(commit());
    set_day(day, 5);
    EXPECT_FALSE(run().asks);
    EXPECT_EQ(listed().size(), std::min<size_t>(3, ids.size()));
    EXPECT_EQ(listed(true).size(), std::min<size_t>(5, ids.size()));
  }
  EXPECT_EQ(listed(), std::vector<BlobId>(ids.end() - 3, ids.end()));
  EXPECT_TRUE(must(engine().check(repository_, true, {})).findings.empty());
  EXPECT_TRUE(log_.contains("event=retention.snapshot.trashed")) << log_.text();
  EXPECT_TRUE(log_.contains("event=retention.snapshot.removed")) << log_.text();
}

TEST_F(RetentionJob, a_dry_run_tells_all_and_does_nothing) {
  set_rules("keep-daily 2, trash-stay 2d");
  const auto ids = commit_days(0, 4);
  must(engine().forget(repository_, ids[0], owner_.device));
  const JobResult result = run(true);
  EXPECT_EQ(result.summary, "would put 1 snapshot into the trash, would remove 0 from there");
  const Json source = detail_of(result);
  EXPECT_EQ(source["rules"], "keep-daily 2, cadence 1d, trash-stay 2d");
  EXPECT_EQ(source["rules_of"], "repository");
  ASSERT_EQ(source["snapshots"].size(), 4u);
  EXPECT_EQ(source["snapshots"][0]["act"], "in trash");
  EXPECT_EQ(source["snapshots"][0]["due_ns"], now_ + 2 * kDay);
  EXPECT_EQ(source["snapshots"][1]["act"], "trash");
  EXPECT_EQ(source["snapshots"][2]["reasons"], Json::array({"daily 2"}));
  EXPECT_EQ(source["snapshots"][3]["reasons"], Json::array({"newest", "daily 1"}));
  EXPECT_EQ(listed().size(), 3u);
  EXPECT_TRUE(must(book_->requests()).empty());
}

TEST_F(RetentionJob, undelete_works_until_the_removal) {
  set_rules("keep-daily 3");
  const auto ids = commit_days(0, 5);
  run();
  EXPECT_FALSE(is_listed(ids[0]));
  set_day(4 + 6);
  run();
  must(engine().undelete(repository_, ids[0], owner_.device));
  EXPECT_TRUE(is_listed(ids[0]));
  set_day(4 + 8);
  must(book_->pin(repository_, ids[0], 0, "", "uid 0"));
  run();
  EXPECT_TRUE(is_listed(ids[0]));
  EXPECT_FALSE(is_listed(ids[1], true));
  EXPECT_EQ(repository::code_of(engine().undelete(repository_, ids[1], owner_.device)),
            Code::not_found);
}

TEST_F(RetentionJob, a_source_s_own_rules_count_before_the_repository_s) {
  set_rules("keep-daily 1");
  set_rules("keep-all", key(owner_, 2));
  commit_days(0, 3, {1});
  commit_days(3, 6, {2});
  run();
  EXPECT_EQ(listed().size(), 1u + 3u);
  must(book_->remove_rules(repository_, key(owner_, 2)));
  run();
  EXPECT_EQ(listed().size(), 2u);
  must(book_->remove_rules(repository_, {}));
  EXPECT_EQ(repository::code_of(book_->remove_rules(repository_, {})), Code::not_found);
}

TEST_F(RetentionJob, a_run_that_would_take_more_than_its_share_asks_and_does_what_was_approved) {
  commit_days(0, 20);
  set_rules("keep-daily 5");
  const JobResult asks = run();
  EXPECT_TRUE(asks.asks);
  EXPECT_NE(asks.summary.find("1 source asks first"), std::string::npos) << asks.summary;
  EXPECT_EQ(detail_of(asks)["objection"], "15 of 20 snapshots would go, more than 50 %");
  EXPECT_EQ(listed().size(), 20u);
  const int64_t number = only_request();
  EXPECT_EQ(detail_of(asks)["request"], number);
  run();
  EXPECT_EQ(only_request(), number);  // the same again is not asked twice
  must(book_->approve(number, "uid 0 (root)"));
  EXPECT_FALSE(run().asks);
  EXPECT_EQ(listed().size(), 5u);
  EXPECT_TRUE(must(book_->requests()).empty());
  // Their removal is no second question.
  set_day(19 + 8);
  EXPECT_FALSE(run().asks);
  EXPECT_EQ(listed(true).size(), 5u);
}

TEST_F(RetentionJob, what_was_approved_covers_nothing_else_and_only_once) {
  commit_days(0, 20);
  set_rules("keep-daily 8");
  run();
  approve_all();
  // Stricter rules meanwhile: only what was asked goes.
  set_rules("keep-daily 1");
  run();
  EXPECT_EQ(listed().size(), 8u);
  set_rules("keep-daily 8");
  commit_days(20, 40);
  set_rules("keep-daily 2");
  EXPECT_TRUE(run().asks);
  EXPECT_EQ(listed().size(), 28u);
}

TEST_F(RetentionJob, a_request_for_something_else_takes_the_place_of_the_first) {
  commit_days(0, 20);
  set_rules("keep-daily 5");
  run();
  const int64_t first = only_request();
  commit_days(20, 21);
  run();
  const int64_t second = only_request();
  EXPECT_NE(first, second);
  EXPECT_EQ(repository::code_of(book_->approve(first, "uid 0")), Code::state);
  set_rules("keep-daily 20");
  EXPECT_FALSE(run().asks);
  EXPECT_TRUE(must(book_->requests()).empty());
}

TEST_F(RetentionJob, few_snapshots_go_without_asking) {
  commit_days(0, 3);
  set_rules("keep-last 1");
  EXPECT_FALSE(run().asks);
  EXPECT_EQ(listed().size(), 1u);
}

TEST_F(RetentionJob, checkpoints_and_further_ones_of_a_day_are_not_counted_when_it_asks) {
  commit_days(0, 4);
  for (int hour = 4; hour < 20; ++hour) {
    set_day(3, hour);
    commit({1, hour % 2 == 0});
  }
  set_rules("keep-daily 9");
  set_day(5);
  EXPECT_FALSE(run().asks);
  EXPECT_EQ(listed().size(), 5u);  // four days, and the newest
}

TEST_F(RetentionJob, the_newest_whole_snapshot_is_not_removed_from_the_trash_without_asking) {
  const auto ids = commit_days(0, 2);
  for (const BlobId& id : ids) must(engine().forget(repository_, id, owner_.device));
  set_day(30);
  const JobResult asks = run();
  EXPECT_TRUE(asks.asks);
  EXPECT_EQ(detail_of(asks)["objection"], "the newest whole snapshot would be removed");
  EXPECT_EQ(listed(true).size(), 2u);
  approve_all();
  run();
  EXPECT_TRUE(listed(true).empty());
}

TEST_F(RetentionJob, a_pinned_snapshot_stays_until_the_pin_ends_in_the_trash_too) {
  set_rules("keep-daily 2, trash-stay 1d");
  const auto ids = commit_days(0, 4);
  must(book_->pin(repository_, ids[0], kBegin + 20 * kDay, "audit", "uid 0"));
  must(engine().forget(repository_, ids[1], owner_.device));
  must(book_->pin(repository_, ids[1], 0, "", "uid 0"));
  set_day(15);
  run();
  EXPECT_TRUE(is_listed(ids[0]));
  EXPECT_TRUE(is_listed(ids[1], true));
  set_day(21);
  run();
  EXPECT_FALSE(is_listed(ids[0]));
  must(book_->unpin(repository_, ids[1]));
  run();
  EXPECT_FALSE(is_listed(ids[1], true));
}

TEST_F(RetentionJob, pins_are_of_snapshots_that_are_there_and_of_the_future) {
  EXPECT_EQ(repository::code_of(book_->pin(repository_, BlobId{}, 0, "", "")), Code::not_found);
  const BlobId id = commit();
  EXPECT_EQ(repository::code_of(book_->pin(repository_, id, now_, "", "")), Code::invalid);
  EXPECT_EQ(repository::code_of(book_->unpin(repository_, id)), Code::not_found);
}

TEST_F(RetentionJob, a_shorter_stay_waits_for_another_person) {
  set_rules("keep-daily 2, trash-stay 30d");
  EXPECT_EQ(stay(), 30 * kDay);
  const auto change = must(book_->set_rules(
      repository_, {}, retention::parse_rules("keep-daily 3").value(), "uid 1000 (eve)"));
  ASSERT_TRUE(change.request);
  EXPECT_EQ(change.now.rules.daily, 3u);
  EXPECT_EQ(stay(), 30 * kDay);
  const auto refused = book_->approve(*change.request, "uid 1000 (mallory)");
  EXPECT_EQ(repository::code_of(refused), Code::denied);
  EXPECT_NE(refused.error().text().find("[admin] operators"), std::string::npos);
  EXPECT_EQ(stay(), 30 * kDay);
  must(book_->approve(*change.request, "uid 0 (root)"));
  EXPECT_EQ(stay(), 7 * kDay);
  EXPECT_EQ(repository::code_of(book_->approve(*change.request, "uid 0")), Code::state);
}

TEST_F(RetentionJob, the_default_stay_is_not_shortened_alone_either) {
  EXPECT_TRUE(
      must(book_->set_rules(repository_, {},
                            retention::parse_rules("keep-all, trash-stay 1d").value(), "uid 0"))
          .request);
  EXPECT_EQ(stay(), 7 * kDay);
}

TEST_F(RetentionJob, what_lay_in_the_trash_before_stays_as_long_as_it_was_to) {
  set_rules("keep-daily 3, trash-stay 30d");
  const auto ids = commit_days(0, 4);
  run();
  EXPECT_FALSE(is_listed(ids[0]));
  set_rules("keep-daily 3, trash-stay 1d");
  EXPECT_EQ(stay(), kDay);
  set_day(4, 3);
  commit();
  run();
  set_day(10);
  run();
  EXPECT_TRUE(is_listed(ids[0], true));
  EXPECT_FALSE(is_listed(ids[1], true));
  set_day(3 + 31);
  run();
  EXPECT_FALSE(is_listed(ids[0], true));
}

TEST_F(RetentionJob, an_approval_that_does_not_fit_any_more_changes_nothing) {
  set_rules("keep-all, trash-stay 30d");
  must(book_->set_rules(repository_, {}, must(retention::parse_rules("keep-all, trash-stay 10d")),
                        "uid 0"));
  const int64_t number = only_request();
  set_rules("keep-all, trash-stay 60d");
  EXPECT_EQ(repository::code_of(book_->approve(number, "uid 7")), Code::state);
  EXPECT_EQ(stay(), 60 * kDay);
  EXPECT_TRUE(must(book_->requests()).empty());
}

TEST_F(RetentionJob, rules_with_a_longer_stay_are_not_simply_taken_away) {
  set_rules("keep-all, trash-stay 30d");
  EXPECT_EQ(repository::code_of(book_->remove_rules(repository_, {})), Code::state);
  set_rules("keep-all", key(owner_));
  EXPECT_EQ(stay(), 7 * kDay);
}

TEST_F(RetentionJob, can_be_cancelled_and_ends_in_time_between_two_snapshots) {
  commit_days(0, 10);
  set_rules("keep-daily 6");
  JobCall call;
  int looks = 0;
  call.progress = [&](uint64_t, uint64_t total, const std::string& unit) {
    EXPECT_EQ(total, 10u);
    EXPECT_EQ(unit, "snapshots");
    return ++looks < 3;
  };
  EXPECT_EQ(repository::code_of(try_run(call)), Code::cancelled);
  EXPECT_EQ(listed().size(), 8u);
  call.progress = [&](uint64_t, uint64_t, const std::string&) {
    house_.clock().advance(std::chrono::minutes(1));
    return true;
  };
  call.most_time = std::chrono::seconds(30);
  const JobResult result = must(try_run(call));
  EXPECT_TRUE(result.is_short);
  EXPECT_EQ(listed().size(), 7u);
  run();
  EXPECT_EQ(listed().size(), 6u);
}

TEST_F(RetentionJob, one_account_alone_or_all) {
  JobCall call;
  call.account = "nobody";
  EXPECT_EQ(repository::code_of(try_run(call)), Code::not_found);
  commit_days(0, 3);
  set_rules("keep-last 1");
  const auto other = house_.create(2);
  (void)other;
  call.account = "account-2";
  must(try_run(call));
  EXPECT_EQ(listed().size(), 3u);
  call.account = account_;
  must(try_run(call));
  EXPECT_EQ(listed().size(), 1u);
}

TEST_F(RetentionJob, rules_that_cannot_be_read_keep_all_and_are_told) {
  commit_days(0, 9);
  const auto number = must(house_.catalog().index().repository(repository_.bytes))->number;
  must(house_.catalog().retention().set_rules(number, {{}, "keep-nothing", 1, ""}));
  const auto result = try_run();
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().text().find("account-1"), std::string::npos) << result.error().text();
  EXPECT_EQ(listed().size(), 9u);
  set_rules("keep-daily 8");
  run();
  EXPECT_EQ(listed().size(), 8u);
}

TEST_F(RetentionJob, rules_and_pins_are_noted_in_the_store) {
  set_rules("keep-daily 2, trash-stay 9d", key(owner_));
  const BlobId id = commit();
  must(book_->pin(repository_, id, 0, "why", "uid 0"));
  const auto note =
      must(repository::decode_retention(house_.object("v4/" + repository_.hex() + "/retention")));
  ASSERT_EQ(note.rules.size(), 1u);
  EXPECT_EQ(note.rules[0].text, "keep-daily 2, cadence 1d, trash-stay 9d");
  EXPECT_EQ(note.rules[0].source, key(owner_));
  ASSERT_EQ(note.pins.size(), 1u);
  EXPECT_EQ(note.pins[0].snapshot, id);
  must(book_->unpin(repository_, id));
  EXPECT_TRUE(
      must(repository::decode_retention(house_.object("v4/" + repository_.hex() + "/retention")))
          .pins.empty());
}

class RetentionAdmin : public RetentionHouse {
 protected:
  Result<Json> ask(const std::string& command, Json request = Json::object()) {
    request["asked_by"] = "uid 0 (root)";
    const AdminRetention admin(engine(), *book_);
    const auto account = must(house_.catalog().accounts().account_by_name(account_));
    return admin.run(command, &*account, request);
  }
};

TEST_F(RetentionAdmin, shows_sources_with_the_rules_in_force) {
  commit_days(0, 2, {1});
  commit_days(2, 3, {2});
  ASSERT_OK(ask("retention.set", {{"rules", "keep-daily 7"}}));
  ASSERT_OK(ask("retention.set", {{"rules", "keep-all"}, {"source", "0202"}}));
  const Json shown = must(ask("retention.show"));
  ASSERT_EQ(shown["sources"].size(), 2u);
  EXPECT_EQ(shown["sources"][0]["snapshots"], 2);
  EXPECT_EQ(shown["sources"][0]["rules_of"], "repository");
  EXPECT_EQ(shown["sources"][1]["rules_of"], "source");
  EXPECT_EQ(shown["rules"].size(), 2u);
  EXPECT_EQ(shown["rules"][0]["set_by"], "uid 0 (root)");
  ASSERT_OK(ask("retention.set", {{"rules", ""}, {"source", "0202"}}));
  EXPECT_EQ(must(ask("retention.show"))["rules"].size(), 1u);
}

TEST_F(RetentionAdmin, a_source_is_named_by_a_prefix_that_is_its_alone) {
  commit({1}, owner_);
  commit({1}, writer_);
  const std::string device = repository::device_of(2).hex();
  EXPECT_EQ(repository::code_of(ask("retention.set", {{"rules", "keep-all"}, {"source", "01"}})),
            Code::invalid);
  EXPECT_EQ(repository::code_of(ask("retention.set", {{"rules", "keep-all"}, {"source", "77"}})),
            Code::not_found);
  const Json done =
      must(ask("retention.set", {{"rules", "keep-all"}, {"source", device.substr(0, 8) + "/01"}}));
  EXPECT_EQ(done["source"], to_hex(key(writer_)));
}

TEST_F(RetentionAdmin, pins_by_a_prefix_and_lists_what_waits) {
  const auto ids = commit_days(0, 30);
  ASSERT_OK(ask("retention.pin", {{"snapshot", ids[3].hex()}, {"reason", "keep me"}}));
  EXPECT_EQ(repository::code_of(ask("retention.pin", {{"snapshot", "ab"}})), Code::invalid);
  EXPECT_EQ(must(ask("retention.show"))["pins"][0]["reason"], "keep me");
  ASSERT_OK(ask("retention.set", {{"rules", "keep-daily 2"}}));
  run();
  const Json waiting = must(ask("job.requests"));
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0]["what"], "retention");
  EXPECT_EQ(waiting[0]["trash_count"], 27);
  EXPECT_EQ(waiting[0]["trash"].size(), 20u);
  const int64_t number = waiting[0]["number"];
  ASSERT_OK(ask("job.approve", {{"number", number}}));
  run();
  EXPECT_EQ(listed().size(), 3u);
  ASSERT_OK(ask("retention.unpin", {{"snapshot", ids[3].hex()}}));
}

TEST_F(RetentionAdmin, refuses_what_makes_no_sense) {
  commit();
  for (const char* rules : {"keep-daily 0", "keep-last 1, trash-stay 20y", "trash-stay 1m"})
    EXPECT_EQ(repository::code_of(ask("retention.set", {{"rules", rules}})), Code::invalid);
  EXPECT_EQ(repository::code_of(ask("job.approve", {{"number", 4711}})), Code::not_found);
}

}  // namespace
}  // namespace cb::server
