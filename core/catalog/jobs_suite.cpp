// SPDX-License-Identifier: Apache-2.0
//
// What a Catalog promises about runs of jobs.
#include "core/catalog/catalog_suite.h"

namespace cb::catalog {
namespace {

constexpr int64_t kNow = 1'800'000'000'000'000'000;

int64_t begin(Catalog& catalog, const std::string& job, int64_t when_ns, bool scheduled = true) {
  JobRun run;
  run.job = job;
  run.asked_by = scheduled ? "schedule" : "uid 0 (root)";
  run.due_ns = scheduled ? when_ns : 0;
  run.begun_ns = when_ns + 5;
  const auto number = catalog.jobs().begin(run);
  EXPECT_TRUE(number);
  return number.value_or(0);
}

Status end(Catalog& catalog, int64_t number, JobOutcome outcome) {
  JobRun run;
  run.number = number;
  run.ended_ns = kNow + 100;
  run.outcome = outcome;
  run.summary = "all is well";
  run.detail = "{\"packs\":3}";
  return catalog.jobs().end(run);
}

TEST_P(CatalogSuite, a_run_comes_back_as_it_began_and_ended) {
  const int64_t number = begin(*catalog_, "verify", kNow);
  EXPECT_EQ(catalog_->jobs().history("verify", 0, 9)->at(0).outcome, JobOutcome::running);
  ASSERT_TRUE(end(*catalog_, number, JobOutcome::asks));
  reopen();
  const auto all = catalog_->jobs().history("", 0, 9);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 1U);
  const JobRun& run = all->front();
  EXPECT_EQ(run.number, number);
  EXPECT_EQ(run.job, "verify");
  EXPECT_EQ(run.asked_by, "schedule");
  EXPECT_EQ(run.due_ns, kNow);
  EXPECT_EQ(run.begun_ns, kNow + 5);
  EXPECT_EQ(run.ended_ns, kNow + 100);
  EXPECT_EQ(run.outcome, JobOutcome::asks);
  EXPECT_EQ(run.summary, "all is well");
  EXPECT_EQ(run.detail, "{\"packs\":3}");
  EXPECT_EQ(end(*catalog_, number, JobOutcome::done).error().code, Code::not_found);
}

TEST_P(CatalogSuite, what_had_no_end_was_interrupted) {
  ASSERT_TRUE(end(*catalog_, begin(*catalog_, "clean", kNow), JobOutcome::done));
  begin(*catalog_, "verify", kNow + 10);
  EXPECT_EQ(*catalog_->jobs().interrupt(kNow + 50), 1U);
  EXPECT_EQ(*catalog_->jobs().interrupt(kNow + 60), 0U);
  const auto verify = catalog_->jobs().history("verify", 0, 1);
  EXPECT_EQ(verify->at(0).outcome, JobOutcome::interrupted);
  EXPECT_EQ(verify->at(0).ended_ns, kNow + 50);
  EXPECT_FALSE(verify->at(0).summary.empty());
  EXPECT_EQ(catalog_->jobs().history("clean", 0, 1)->at(0).outcome, JobOutcome::done);
}

TEST_P(CatalogSuite, the_history_is_paged_from_the_newest_on) {
  std::vector<int64_t> numbers;
  for (int i = 0; i < 5; ++i)
    numbers.push_back(begin(*catalog_, i % 2 == 0 ? "clean" : "verify", kNow + i, i != 4));
  const auto first = catalog_->jobs().history("", 0, 2);
  ASSERT_EQ(first->size(), 2U);
  EXPECT_EQ(first->at(0).number, numbers[4]);
  EXPECT_EQ(first->at(1).number, numbers[3]);
  const auto next = catalog_->jobs().history("", first->at(1).number, 9);
  ASSERT_EQ(next->size(), 3U);
  EXPECT_EQ(next->at(0).number, numbers[2]);
  EXPECT_EQ(catalog_->jobs().history("clean", 0, 9)->size(), 3U);
  EXPECT_EQ(catalog_->jobs().scheduled("clean", 9)->size(), 2U);
  EXPECT_EQ(catalog_->jobs().scheduled("clean", 1)->at(0).number, numbers[2]);
  EXPECT_EQ(*catalog_->jobs().oldest(), std::optional<int64_t>(kNow + 5));
}

TEST_P(CatalogSuite, old_runs_are_forgotten_but_never_the_newest_of_a_job) {
  EXPECT_EQ(*catalog_->jobs().oldest(), std::nullopt);
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(end(*catalog_, begin(*catalog_, "clean", kNow + i), JobOutcome::done));
  ASSERT_TRUE(end(*catalog_, begin(*catalog_, "verify", kNow + 3), JobOutcome::failed));
  ASSERT_TRUE(end(*catalog_, begin(*catalog_, "verify", kNow + 4, false), JobOutcome::done));
  begin(*catalog_, "collect", kNow);  // runs
  EXPECT_EQ(*catalog_->jobs().forget(kNow + 1000), 2U);
  EXPECT_EQ(catalog_->jobs().history("", 0, 9)->size(), 4U);
  EXPECT_EQ(catalog_->jobs().scheduled("verify", 9)->size(), 1U);
}

TEST_P(CatalogSuite, of_runs_that_say_the_same_the_newest_can_be_all_that_is_kept) {
  const int64_t failed = begin(*catalog_, "watch", kNow);
  ASSERT_TRUE(end(*catalog_, failed, JobOutcome::failed));
  for (int run = 1; run <= 3; ++run)
    ASSERT_TRUE(end(*catalog_, begin(*catalog_, "watch", kNow + run), JobOutcome::done));
  const int64_t asked = begin(*catalog_, "watch", kNow + 4, false);
  ASSERT_TRUE(end(*catalog_, asked, JobOutcome::done));
  ASSERT_TRUE(end(*catalog_, begin(*catalog_, "clean", kNow + 5), JobOutcome::done));
  const int64_t newest = begin(*catalog_, "watch", kNow + 6);
  ASSERT_TRUE(end(*catalog_, newest, JobOutcome::done));
  EXPECT_EQ(*catalog_->jobs().forget_same(newest), 3U);
  const auto left = *catalog_->jobs().history("watch", 0, 9);
  ASSERT_EQ(left.size(), 3U);
  EXPECT_EQ(left[0].number, newest);
  EXPECT_EQ(left[1].number, asked);
  EXPECT_EQ(left[2].number, failed);
  EXPECT_EQ(catalog_->jobs().history("clean", 0, 9)->size(), 1U);
}

}  // namespace
}  // namespace cb::catalog
