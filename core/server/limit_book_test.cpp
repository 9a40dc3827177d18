// SPDX-License-Identifier: Apache-2.0
//
// Limits on what is stored, under a real engine: what is counted, what a refusal leaves, and what
// the soft limit does as time goes by.
#include "core/server/limit_book.h"

#include "core/server/limit_fixture.h"

namespace cb::server {
namespace {

using repository::StoredBlob;
using std::chrono::hours;

class LimitBookTest : public LimitHouse {
 protected:
  static constexpr std::chrono::nanoseconds kBegin = hours(24 * 365 * 57);

  LimitBookTest() { house_.clock().set_wall(kBegin); }
  void limit_softly(uint64_t soft, std::chrono::nanoseconds grace) {
    LimitDefaults defaults;
    defaults.account.soft = soft;
    defaults.account.grace_ns = static_cast<uint64_t>(grace.count());
    set_defaults(defaults);
  }
  // A snapshot of so many blobs of 1000 bytes.
  repository::CommitAnswer commit(const repository::Viewer& viewer, uint64_t number, size_t count) {
    const auto intake = begin(viewer);
    const auto snapshot = repository::make_snapshot(number, count, 1000);
    for (const StoredBlob& blob : snapshot.blobs) must(repository::put_blob(*intake, blob));
    return must(intake->commit(snapshot.request));
  }
  void remove(const repository::BlobId& snapshot) {
    must(engine().forget(repository_, snapshot, {}));
    must(engine().remove(repository_, snapshot));
  }
  void collect() {
    repository::Engine::CollectOptions options;
    options.wait = {};
    options.keep_uncommitted = {};
    for (int i = 0; i < 3; ++i) {
      house_.clock().set_wall(house_.clock().wall() + hours(1));
      must(engine().collect(repository_, options, {}));
    }
  }
};

TEST_F(LimitBookTest, what_a_device_stores_is_what_its_packs_and_records_take_on_the_disk) {
  commit(mine_, 1, 5);
  const uint64_t first = on_disk();
  EXPECT_EQ(stored_by(mine_), first);
  commit(theirs_, 2, 9);
  EXPECT_EQ(stored_by(mine_), first);
  EXPECT_EQ(stored_by(theirs_), on_disk() - first);
  EXPECT_EQ(stored(), on_disk());
}

TEST_F(LimitBookTest, a_blob_counts_for_whoever_brought_it_and_for_nobody_who_leans_on_it) {
  commit(mine_, 1, 5);
  const uint64_t before = on_disk();
  const auto intake = begin(theirs_);
  for (const StoredBlob& blob : repository::make_snapshot(1, 5, 1000).blobs)
    must(repository::put_blob(*intake, blob));
  must(intake->flush());
  EXPECT_EQ(stored_by(theirs_), 0U);
  EXPECT_EQ(on_disk(), before);
}

TEST_F(LimitBookTest, a_device_over_its_quota_keeps_what_was_acknowledged) {
  limit_account(100'000);
  const auto intake = begin(mine_);
  Status refused;
  const size_t came = fill(*intake, 1, 1000, 3000, &refused);
  expect_limit(refused);
  EXPECT_GE(came, 25U) << "all but what the rest is too small for";
  must(intake->flush());
  EXPECT_EQ(intake->durable(), came + 1);
  for (uint64_t i = 1; i <= came; ++i) {
    const auto blob = repository::make_blob(BlobKind::data, i, 3000);
    const std::array<repository::BlobId, 1> id = {blob.head.id};
    EXPECT_EQ(must(repository::read_all(engine(), repository_, id)).at(id[0]).stored, blob.stored);
  }
  EXPECT_LE(on_disk(), 100'000U);
  EXPECT_EQ(book_->refused(Refusal::stored), 1U);
}

TEST_F(LimitBookTest, the_same_intake_stores_again_once_it_may) {
  limit_account(100'000);
  const auto intake = begin(mine_);
  Status refused;
  const size_t came = fill(*intake, 1, 1000, 3000, &refused);
  expect_limit(refused);
  must(book_->set(account_, {}, {{"stored", 0}}, "uid 0 (root)"));
  EXPECT_EQ(fill(*intake, 1000, 10), 10U);
  must(intake->flush());
  EXPECT_EQ(intake->durable(), came + 12) << "and two session records";
}

TEST_F(LimitBookTest, room_that_a_collection_made_is_found_without_anybody_saying_so) {
  const auto first = commit(mine_, 1, 60);
  ASSERT_TRUE(first.missing.empty());
  const uint64_t full = on_disk() + 10'000;
  limit_account(full);
  {
    const auto intake = begin(mine_);
    Status refused;
    fill(*intake, 1000, 100, 3000, &refused);
    expect_limit(refused);
  }
  remove(repository::make_snapshot(1, 60, 1000).request.snapshot);
  collect();
  EXPECT_LT(on_disk(), full / 2);
  EXPECT_EQ(fill(*begin(mine_), 2000, 10), 10U);
}

TEST_F(LimitBookTest, what_an_intake_set_aside_comes_back_when_it_is_dropped) {
  limit_account(200'000);
  {
    const auto upload = must(engine().begin(repository_, {}, true));
    fill(*upload, 1, 20);
    EXPECT_GT(stored(), 60'000U) << "open packs count";
    must(upload->drop());
  }
  EXPECT_EQ(stored(), 0U);
  EXPECT_EQ(fill(*begin(mine_), 1, 50), 50U);
}

TEST_F(LimitBookTest, an_upload_of_protocol_3_is_refused_by_its_account_and_leaves_nothing) {
  limit_account(50'000);
  {
    const auto upload = must(engine().begin(repository_, {}, true));
    Status refused;
    fill(*upload, 1, 100, 3000, &refused);
    expect_limit(refused);
    EXPECT_NE(refused.error().object.find("account account-1"), std::string::npos);
    must(upload->drop());
  }
  EXPECT_EQ(on_disk(), 0U);
}

TEST_F(LimitBookTest, more_than_the_soft_limit_is_tolerated_for_the_grace_and_not_longer) {
  limit_softly(50'000, hours(24));
  EXPECT_EQ(fill(*begin(mine_), 1, 30), 30U);
  const QuotaUse above = must(book_->describe(account_)).use;
  EXPECT_GT(above.stored, 50'000U);
  EXPECT_EQ(above.until_ns, (kBegin + hours(24)).count());
  EXPECT_FALSE(above.is_over);
  house_.clock().set_wall(kBegin + hours(23));
  EXPECT_EQ(fill(*begin(mine_), 100, 5), 5U);
  house_.clock().set_wall(kBegin + hours(24));
  Status refused;
  EXPECT_EQ(fill(*begin(mine_), 200, 5, 3000, &refused), 0U);
  expect_limit(refused);
  EXPECT_NE(refused.error().cause.find("soft limit"), std::string::npos) << refused.error().text();
  EXPECT_EQ(book_->refused(Refusal::soft), 1U);
  EXPECT_TRUE(must(book_->describe(account_)).use.is_over);
}

TEST_F(LimitBookTest, the_grace_outlives_a_restart_and_begins_anew_only_below_the_limit) {
  limit_softly(50'000, hours(24));
  ASSERT_TRUE(commit(mine_, 1, 60).missing.empty());
  const int64_t until = must(book_->describe(account_)).use.until_ns;
  EXPECT_EQ(until, (kBegin + hours(24)).count());
  house_.clock().set_wall(kBegin + hours(10));
  house_.reopen();
  EXPECT_EQ(must(book_->describe(account_)).use.until_ns, until);
  remove(repository::make_snapshot(1, 60, 1000).request.snapshot);
  collect();
  EXPECT_EQ(must(book_->describe(account_)).use.until_ns, 0);
  house_.clock().set_wall(kBegin + hours(20));
  ASSERT_TRUE(commit(mine_, 2, 60).missing.empty());
  EXPECT_EQ(must(book_->describe(account_)).use.until_ns, (kBegin + hours(44)).count());
}

TEST_F(LimitBookTest, a_clock_that_was_set_back_prolongs_no_grace) {
  limit_softly(50'000, hours(24));
  EXPECT_EQ(fill(*begin(mine_), 1, 30), 30U);
  house_.clock().set_wall(kBegin - hours(1000));
  EXPECT_EQ(must(book_->describe(account_)).use.until_ns, (kBegin - hours(976)).count());
}

TEST_F(LimitBookTest, a_limit_that_is_set_holds_at_once_and_after_a_restart) {
  auto intake = begin(mine_);
  EXPECT_EQ(fill(*intake, 1, 30), 30U);
  must(book_->set(account_, {}, {{"stored", kLeastLimit}}, "uid 0 (root)"));
  Status refused;
  fill(*intake, 100, 10, 4'000'000, &refused);
  expect_limit(refused);
  intake.reset();
  house_.reopen();
  const LimitAccount told = must(book_->describe(account_));
  EXPECT_EQ(told.limits.stored, kLeastLimit);
  ASSERT_EQ(told.rows.size(), 1U);
  EXPECT_EQ(told.rows[0].set_by, "uid 0 (root)");
  must(book_->set(account_, {}, {{"stored", std::nullopt}}, "uid 0 (root)"));
  EXPECT_EQ(must(book_->describe(account_)).limits.stored, 0U);
}

TEST_F(LimitBookTest, limits_that_cannot_be_change_nothing) {
  must(book_->set(account_, {}, {{"stored", 100 * kLeastLimit}}, "uid 0 (root)"));
  const auto refused = [&](const LimitBook::Changes& changes) {
    const Status set = book_->set(account_, mine_.device, changes, "uid 0 (root)");
    EXPECT_FALSE(set);
    return set ? std::string() : set.error().text();
  };
  EXPECT_NE(refused({{"soft", 2 * kLeastLimit}, {"stored", kLeastLimit}}), "");
  EXPECT_NE(refused({{"stored", 5}, {"sessions", 3}}), "");
  EXPECT_NE(refused({{"inodes", 5}}).find("is not known"), std::string::npos);
  EXPECT_EQ(must(book_->describe(account_)).rows.size(), 1U);
}

TEST_F(LimitBookTest, what_the_last_backup_had_stored_is_told_to_the_next_one) {
  commit(mine_, 1, 20);
  const Allowance next = must(book_->allowance(account_, mine_.device));
  EXPECT_GT(next.device.growth, 20'000U);
  EXPECT_LE(next.device.growth, on_disk());
  EXPECT_FALSE(next.device.room());
  limit_account(on_disk() + 7);
  EXPECT_EQ(must(book_->allowance(account_, mine_.device)).account.room(), 7U);
}

TEST_F(LimitBookTest, another_reserve_holds_at_once_for_who_is_sending) {
  const auto running = begin(mine_);
  EXPECT_EQ(fill(*running, 1, 3), 3U);
  engine().set_room_limits(uint64_t{1} << 62, 0);
  Status refused;
  EXPECT_EQ(fill(*running, 100, 3, 3000, &refused), 0U);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::no_space);
  engine().set_room_limits(0, 0);
  EXPECT_EQ(fill(*begin(mine_), 200, 3), 3U);
}

TEST_F(LimitBookTest, below_the_low_water_mark_no_backup_begins_and_what_runs_goes_on) {
  const auto running = begin(mine_);
  EXPECT_EQ(fill(*running, 1, 3), 3U);
  const auto first = commit(mine_, 1, 5);
  engine().set_room_limits(0, uint64_t{1} << 62);
  EXPECT_TRUE(engine().is_low());
  EXPECT_EQ(fill(*running, 100, 3), 3U);
  Status refused;
  EXPECT_EQ(fill(*begin(theirs_), 200, 3, 3000, &refused), 0U);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::no_space);
  EXPECT_NE(refused.error().cause.find("low-water mark"), std::string::npos);
  remove(repository::make_snapshot(1, 5, 1000).request.snapshot);
  collect();
  engine().set_room_limits(0, 0);
  EXPECT_FALSE(engine().is_low());
  EXPECT_EQ(fill(*begin(theirs_), 200, 3), 3U);
}

}  // namespace
}  // namespace cb::server
