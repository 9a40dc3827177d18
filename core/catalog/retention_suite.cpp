// SPDX-License-Identifier: Apache-2.0
//
// What a Catalog promises about rules of retention, pins and approvals.
#include <atomic>
#include <thread>
#include <vector>

#include "core/catalog/catalog_suite.h"

namespace cb::catalog {
namespace {

// The number of a new request.
int64_t ask(Retention& retention, int64_t repository, const std::string& what,
            std::span<const int64_t> instead = {}) {
  ApprovalRow row;
  row.what = what;
  row.repository = repository;
  row.detail = "{}";
  row.asked_by = "schedule";
  row.asked_ns = 5;
  return retention.ask(row, instead).value_or(0);
}

TEST_P(RetentionSuite, rules_come_back_by_source_and_are_replaced_and_removed) {
  EXPECT_TRUE(retention().rules(repository_)->empty());
  const RetentionRow whole{{}, "keep-daily 7", 1, "uid 0 (root)"};
  RetentionRow source{Bytes(48, std::byte{7}), "keep-last 1", 2, "uid 0"};
  ASSERT_TRUE(retention().set_rules(repository_, source));
  ASSERT_TRUE(retention().set_rules(repository_, whole));
  reopen();
  EXPECT_EQ(*retention().rules(repository_), (std::vector<RetentionRow>{whole, source}));
  source.rules = "keep-all";
  ASSERT_TRUE(retention().set_rules(repository_, source));
  EXPECT_EQ(retention().rules(repository_)->back(), source);
  ASSERT_TRUE(retention().remove_rules(repository_, source.source));
  EXPECT_EQ(*retention().rules(repository_), (std::vector<RetentionRow>{whole}));
  EXPECT_EQ(retention().remove_rules(repository_, source.source).error().code, Code::not_found);
}

TEST_P(RetentionSuite, a_source_of_another_length_and_a_strange_repository_are_refused) {
  EXPECT_FALSE(retention().set_rules(repository_, {Bytes(47), "keep-all", 1, ""}));
  EXPECT_FALSE(retention().set_rules(repository_ + 99, {{}, "keep-all", 1, ""}));
  EXPECT_FALSE(retention().set_pin(repository_ + 99, {}));
}

TEST_P(RetentionSuite, pins_come_back_by_snapshot_and_are_replaced_and_removed) {
  PinRow first{{}, 0, "before the move", 1, "uid 0"};
  PinRow second{{}, 77, std::string("any\0byte", 8), 2, "device ab"};
  second.snapshot.fill(std::byte{9});
  ASSERT_TRUE(retention().set_pin(repository_, second));
  ASSERT_TRUE(retention().set_pin(repository_, first));
  reopen();
  EXPECT_EQ(*retention().pins(repository_), (std::vector<PinRow>{first, second}));
  first.until_ns = 5;
  ASSERT_TRUE(retention().set_pin(repository_, first));
  EXPECT_EQ(retention().pins(repository_)->front(), first);
  ASSERT_TRUE(retention().remove_pin(repository_, first.snapshot));
  EXPECT_EQ(*retention().pins(repository_), (std::vector<PinRow>{second}));
  EXPECT_EQ(retention().remove_pin(repository_, first.snapshot).error().code, Code::not_found);
}

TEST_P(RetentionSuite, a_request_is_approved_once_and_used_once) {
  const int64_t number = ask(retention(), repository_, "retention");
  ASSERT_GT(number, 0);
  EXPECT_EQ(retention().use(number, true, 6).error().code, Code::state);
  ASSERT_TRUE(retention().approve(number, "uid 0", 7));
  EXPECT_EQ(retention().approve(number, "uid 1", 8).error().code, Code::state);
  reopen();
  EXPECT_EQ((*retention().approval(number))->approved_by, "uid 0");
  ASSERT_TRUE(retention().use(number, true, 9));
  EXPECT_EQ(retention().use(number, true, 10).error().code, Code::state);
  EXPECT_EQ(retention().approve(number, "uid 0", 11).error().code, Code::state);
  EXPECT_EQ((*retention().approval(number))->used_ns, 9);
}

TEST_P(RetentionSuite, a_request_takes_the_place_of_others_and_numbers_are_never_used_again) {
  const int64_t first = ask(retention(), repository_, "retention");
  const int64_t second = ask(retention(), repository_, "rules");
  const int64_t third = ask(retention(), repository_, "retention", std::span(&first, 1));
  EXPECT_LT(second, third);
  const auto open = *retention().approvals(repository_, true);
  ASSERT_EQ(open.size(), 2u);
  EXPECT_EQ(open[0].number, second);
  EXPECT_EQ(open[1].number, third);
  EXPECT_EQ(retention().approve(first, "uid 0", 9).error().code, Code::state);
  EXPECT_EQ(retention().approvals(0, false)->size(), 3u);
  EXPECT_TRUE(retention().approvals(repository_ + 1, false)->empty());
}

TEST_P(RetentionSuite, an_unknown_request_is_not_found) {
  EXPECT_EQ(*retention().approval(9), std::nullopt);
  EXPECT_EQ(retention().approve(9, "uid 0", 1).error().code, Code::not_found);
  EXPECT_EQ(retention().use(9, false, 1).error().code, Code::not_found);
}

TEST_P(RetentionSuite, of_many_who_use_a_request_at_once_one_does) {
  const int64_t number = ask(retention(), repository_, "retention");
  ASSERT_TRUE(retention().approve(number, "uid 0", 7));
  std::atomic<int> used = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, mine = second()] {
      if (mine->retention().use(number, true, 8)) ++used;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(used, 1);
}

}  // namespace
}  // namespace cb::catalog
