// SPDX-License-Identifier: Apache-2.0
//
// The jobs that give space back, over several repositories.
#include "core/server/collection_jobs.h"

#include <gtest/gtest.h>

#include "core/repository/engine_fixture.h"

namespace cb::server {
namespace {

using repository::EngineHouse;
using repository::must;
using repository::RepositoryId;
using repository::StoredBlob;

class CollectionJobs : public testing::Test {
 protected:
  CollectionJobs() {
    house_.clock().set_wall(std::chrono::hours(24 * 365 * 57));
    for (uint8_t i = 1; i < 4; ++i) put_dead(house_.create(i), i);
    house_.clock().set_wall(std::chrono::hours(24 * 365 * 57 + 72));
    parts_.catalog = &house_.catalog();
    parts_.engine = &house_.engine();
    parts_.clock = &house_.clock();
    parts_.collect.wait = {};
  }

  // What nobody commits.
  void put_dead(const RepositoryId& id, uint64_t number) {
    const auto intake = must(house_.engine().begin(id, {}, false));
    for (const StoredBlob& blob : repository::make_snapshot(number, 4, 1'000).blobs)
      must(put_blob(*intake, blob));
    must(intake->flush());
  }
  size_t packs() { return house_.objects().size() - 2 * size_t{3}; }

  EngineHouse house_;
  CollectionParts parts_;
};

TEST_F(CollectionJobs, a_dry_run_tells_and_a_run_does_it_in_all_repositories) {
  JobCall call;
  call.dry_run = true;
  const JobResult told = must(collect_job(parts_).run(call));
  EXPECT_NE(told.summary.find("27 of 27 blobs"), std::string::npos) << told.summary;
  EXPECT_NE(told.summary.find("would free"), std::string::npos) << told.summary;
  EXPECT_EQ(packs(), 6u);
  call.dry_run = false;
  const JobResult done = must(collect_job(parts_).run(call));
  EXPECT_EQ(done.detail["deleted"], 27);
  EXPECT_EQ(done.detail["bytes_freed"], told.detail["freeable_bytes"]);
  EXPECT_EQ(packs(), 0u);
}

TEST_F(CollectionJobs, with_an_account_only_its_repository_is_looked_at) {
  JobCall call;
  call.account = "account-2";
  EXPECT_EQ(must(collect_job(parts_).run(call)).detail["deleted"], 9);
  EXPECT_EQ(packs(), 4u);
  call.account = "nobody";
  EXPECT_EQ(collect_job(parts_).run(call).error().code, Code::not_found);
}

TEST_F(CollectionJobs, who_stops_it_gets_told_so_and_what_is_over_time_is_short) {
  JobCall call;
  call.progress = [](uint64_t, uint64_t, const std::string&) { return false; };
  EXPECT_EQ(collect_job(parts_).run(call).error().code, Code::cancelled);
  EXPECT_EQ(compact_job(parts_).run(call).error().code, Code::cancelled);
  call.progress = [this](uint64_t, uint64_t, const std::string&) {
    house_.clock().advance(std::chrono::minutes(1));
    return true;
  };
  call.most_time = std::chrono::minutes(2);
  EXPECT_TRUE(must(collect_job(parts_).run(call)).is_short);
}

TEST_F(CollectionJobs, compaction_tells_what_it_would_write_and_keeps_to_its_budget) {
  for (uint64_t i = 10; i < 30; ++i) put_dead(house_.create(1), i);
  JobCall call;
  call.dry_run = true;
  const JobResult told = must(compact_job(parts_).run(call));
  EXPECT_EQ(told.detail["sources"], 42);
  call.dry_run = false;
  call.most_bytes = 1;
  EXPECT_TRUE(must(compact_job(parts_).run(call)).is_short);
  call.most_bytes = 0;
  const JobResult done = must(compact_job(parts_).run(call));
  EXPECT_FALSE(done.is_short);
  EXPECT_GT(done.detail["blobs"], 0);
  EXPECT_NE(done.summary.find("written anew"), std::string::npos) << done.summary;
}

}  // namespace
}  // namespace cb::server
