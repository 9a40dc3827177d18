// SPDX-License-Identifier: Apache-2.0
//
// Collection by itself, and beside others that do something at each of its steps.
#include "core/repository/collection_fixture.h"

namespace cb::repository {
namespace {

class CollectionTest : public Collecting {};

INSTANTIATE_TEST_SUITE_P(Stores, CollectionTest, testing::Values("store-fs", "store-sqlite"),
                         store_name);

const TestSnapshot kOld = make_tree({1, 2, 3, 4, 5, 6}, 1);
const TestSnapshot kNew = make_tree({1, 2, 3, 4, 9}, 2);
constexpr std::chrono::hours kHour{1};

TEST_P(CollectionTest, what_no_snapshot_needs_goes_after_the_wait_and_the_rest_stays) {
  back_up(owner_, kOld);
  back_up(owner_, kNew);
  remove(kOld);
  advance(2 * kDay);
  const auto first = collect();
  EXPECT_GT(first.dead, 0u);
  EXPECT_EQ(first.condemned, first.dead);
  EXPECT_EQ(first.deleted, 0u);
  expect_clean();
  EXPECT_EQ(collect().condemned, 0u);
  advance(kHour);
  const auto second = collect();
  EXPECT_EQ(second.deleted, first.dead);
  EXPECT_EQ(second.deleted_bytes, first.dead_bytes);
  expect_clean();
  expect_readable(kNew, owner_);
  // The two pieces, the node over them, its root, the snapshot and the record.
  EXPECT_EQ(first.dead, 5u);
}

TEST_P(CollectionTest, packs_in_which_nothing_is_left_go_and_their_space_comes_back) {
  back_up(owner_, make_tree({21, 22}, 3));
  back_up(owner_, kNew);
  remove(make_tree({21, 22}, 3));
  advance(2 * kDay);
  const size_t before = packs();
  const auto first = collect({});
  EXPECT_EQ(first.packs_removed, 2u);
  EXPECT_EQ(first.bytes_freed, first.freeable_bytes);
  EXPECT_EQ(packs(), before - 2);
  EXPECT_EQ(must(engine().remove_leftovers()), 0u);
  expect_clean();
  expect_readable(kNew, owner_);
}

TEST_P(CollectionTest, a_dry_run_tells_what_a_run_would_do_and_does_nothing) {
  back_up(owner_, kOld);
  remove(kOld);
  advance(2 * kDay);
  Engine::CollectOptions look;
  look.dry_run = true;
  const auto said = must(engine().collect(repository_, look, {}));
  EXPECT_EQ(said.condemned, 0u);
  EXPECT_EQ(lacking(owner_, kOld), 0u);
  const auto done = collect({});
  EXPECT_EQ(done.dead, said.dead);
  EXPECT_EQ(done.bytes_freed, said.freeable_bytes);
}

TEST_P(CollectionTest, the_trash_is_left_alone_and_undelete_brings_all_of_it_back) {
  back_up(owner_, kOld);
  forget(kOld);
  advance(30 * kDay);
  EXPECT_EQ(collect({}).dead, 0u);
  must(engine().undelete(repository_, kOld.request.snapshot, owner_.device));
  expect_readable(kOld, owner_);
}

TEST_P(CollectionTest, what_came_within_a_day_or_since_the_oldest_intake_began_stays) {
  const auto intake = must(engine().begin(repository_, owner_, false));
  advance(kHour);
  {
    const auto broken = must(engine().begin(repository_, owner_, false));
    send(*broken, kOld);
  }
  advance(kHour);
  EXPECT_EQ(collect({}).blobs, 0u);
  advance(10 * kDay);
  EXPECT_EQ(collect({}).blobs, 0u);
  EXPECT_EQ(lacking(owner_, kOld), 0u);
}

TEST_P(CollectionTest, what_was_never_committed_goes_when_it_is_a_day_old) {
  {
    const auto broken = must(engine().begin(repository_, owner_, false));
    send(*broken, kOld);
  }
  advance(kDay + kHour);
  EXPECT_EQ(collect({}).deleted, kOld.blobs.size());
  EXPECT_EQ(packs(), 0u);
}

TEST_P(CollectionTest, what_is_condemned_is_missing_for_a_commit_and_can_be_sent_again) {
  back_up(owner_, kOld);
  remove(kOld);
  advance(2 * kDay);
  const auto intake = must(engine().begin(repository_, owner_, false));
  const TestSnapshot same = make_tree({1, 2, 3, 4, 5, 6}, 7);
  must(put_blob(*intake, same.blobs.front()));
  must(put_blob(*intake, same.blobs.back()));  // it leans on all the rest
  EXPECT_GT(collect().condemned, 0u);
  EXPECT_FALSE(commit(*intake, same).empty());
  send(*intake, same);
  ASSERT_TRUE(commit(*intake, same).empty());
  advance(2 * kDay);
  collect();
  expect_readable(same, owner_);
  expect_clean();
}

TEST_P(CollectionTest, a_blob_that_was_closed_does_not_hide_what_is_condemned_below_it) {
  back_up(owner_, kOld);
  remove(kOld);
  advance(2 * kDay);
  collect();
  // Only the leaves are not sent again.
  const TestSnapshot same = make_tree({1, 2, 3, 4, 5, 6}, 7);
  const auto intake = must(engine().begin(repository_, owner_, false));
  for (const StoredBlob& blob : same.blobs)
    if (blob.head.kind != BlobKind::data) must(put_blob(*intake, blob));
  EXPECT_EQ(commit(*intake, same).size(), 6u);
}

TEST_P(CollectionTest, a_copy_in_any_domain_keeps_what_hangs_below_it) {
  back_up(writer_, kOld);
  back_up(sharer_, kNew);
  back_up(owner_, make_tree({1, 2}, 3));
  advance(2 * kDay);
  EXPECT_EQ(collect({}).dead, 0u);
  remove(kOld);
  collect({});
  expect_readable(kNew, sharer_);
  expect_readable(make_tree({1, 2}, 3), owner_);
  expect_clean();
}

TEST_P(CollectionTest, what_an_owner_condemned_stays_while_a_snapshot_needs_it) {
  back_up(writer_, kOld);
  must(engine().verified(repository_, writer_, std::array<BlobId, 1>{kOld.request.root}, true));
  advance(2 * kDay);
  EXPECT_EQ(collect({}).dead, 0u);
  // As a last resort, with all that is below it.
  expect_readable(kOld, writer_);
}

TEST_P(CollectionTest, while_an_upload_that_cannot_send_again_is_under_way_nothing_is_condemned) {
  back_up(owner_, kOld, true);
  remove(kOld);
  advance(2 * kDay);
  const TestSnapshot same = make_tree({1, 2, 3, 4, 5, 6}, 7);
  {
    const auto intake = must(engine().begin(repository_, owner_, true));
    must(put_blob(*intake, same.blobs.front()));
    must(put_blob(*intake, same.blobs.back()));
    const auto waiting = collect({});
    EXPECT_TRUE(waiting.waits);
    EXPECT_GT(waiting.dead, 0u);
    EXPECT_EQ(waiting.condemned, 0u);
    ASSERT_TRUE(commit(*intake, same).empty());
  }
  EXPECT_FALSE(collect({}).waits);
  expect_readable(same, owner_);
  expect_clean();
}

TEST_P(CollectionTest, packs_and_rows_from_the_future_are_left_alone) {
  advance(300 * kDay);
  back_up(owner_, kOld);
  remove(kOld);
  advance(-300 * kDay);
  EXPECT_EQ(collect({}).blobs, 0u);
}

// As in a catalog that was rebuilt without a pack.
class Lacking : public Collecting {
 protected:
  void lose(const BlobId& id) {
    auto& rows = house_.catalog().collection();
    const int64_t number = must(house_.catalog().index().repository(repository_.bytes))->number;
    std::vector<catalog::DeadRow> gone;
    must(rows.rows_of(number, std::array<catalog::Bytes32, 1>{id.bytes}, [&](const auto& row) {
      gone.push_back({row.number, row.pack});
    }));
    must(rows.condemn_dead(gone, 1));
    must(rows.sweep(gone, 1));
  }

  const TestSnapshot dead_ = make_tree({21, 22}, 3);
  const BlobId lost_ = kOld.blobs[7].head.id;
};

INSTANTIATE_TEST_SUITE_P(Stores, Lacking, testing::Values("store-fs"), store_name);

TEST_P(Lacking, while_an_owners_snapshot_needs_what_the_catalog_does_not_have_nothing_goes) {
  ASSERT_EQ(kOld.blobs[7].head.kind, BlobKind::node);
  back_up(owner_, kOld);
  back_up(owner_, dead_);
  remove(dead_);
  advance(2 * kDay);
  // Closed or not: a rebuild closes nothing that lacks something.
  must(engine().verified(repository_, owner_, std::array<BlobId, 1>{lost_}, true));
  lose(lost_);
  Engine::CollectOptions at_once;
  at_once.wait = {};
  const auto refused = engine().collect(repository_, at_once, {});
  ASSERT_EQ(code_of(refused), Code::state);
  EXPECT_NE(refused.error().text().find(lost_.hex()), std::string::npos);
  EXPECT_EQ(lacking(owner_, dead_), 0u);
}

TEST_P(Lacking, a_devices_snapshot_that_lacks_something_keeps_what_the_device_put_and_no_more) {
  back_up(writer_, kOld);
  back_up(owner_, dead_);
  remove(dead_);
  advance(2 * kDay);
  must(engine().verified(repository_, writer_, std::array<BlobId, 1>{lost_}, true));
  lose(lost_);
  const auto done = collect({});
  EXPECT_EQ(done.lacking.size(), 1u);
  EXPECT_EQ(done.deleted, dead_.blobs.size() - 1);  // but for the session record
  EXPECT_EQ(lacking(writer_, kOld), 1u);
}

TEST_P(Lacking, a_copy_that_names_what_is_not_there_stops_nobody) {
  {
    // Of a node that the owner puts later, with other children.
    const auto intake = must(engine().begin(repository_, sharer_, false));
    StoredBlob node = kNew.blobs[6];
    ASSERT_EQ(node.head.kind, BlobKind::node);
    node.head.children.assign(50, make_blob(BlobKind::data, 77, 1).head.id);
    must(put_blob(*intake, kNew.blobs.front()));
    must(put_blob(*intake, node));
  }
  back_up(owner_, dead_);
  remove(dead_);
  back_up(owner_, kOld);
  back_up(owner_, kNew);
  advance(2 * kDay);
  EXPECT_EQ(collect({}).deleted, dead_.blobs.size());
  expect_readable(kNew, owner_);
  expect_readable(kOld, owner_);
}

// Does something at each step of a collection that goes over two removed snapshots and a live one.
class AtEachStep : public Collecting {
 protected:
  // The steps that a collection has.
  size_t prepare() {
    back_up(writer_, kOld);
    back_up(owner_, make_tree({11, 12, 13, 14, 15}, 3));
    back_up(owner_, kNew);
    remove(kOld);
    remove(make_tree({11, 12, 13, 14, 15}, 3));
    advance(2 * kDay);
    size_t steps = 0;
    Engine::CollectOptions look;
    look.dry_run = true;
    must(engine().collect(repository_, look, [&](uint64_t, uint64_t total) {
      steps = total;
      return true;
    }));
    return steps;
  }

  template <typename Act>
  void collect_and(size_t at, const Act& act) {
    size_t step = 0;
    collect({}, [&](uint64_t, uint64_t) {
      if (step++ == at) act();
      return true;
    });
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, AtEachStep, testing::Values("store-fs"), store_name);

TEST_P(AtEachStep, a_commit_that_leans_on_the_dead_is_whole_or_told_what_is_missing) {
  const size_t steps = prepare();
  ASSERT_GT(steps, 10u);
  for (size_t at = 0; at < steps; ++at) {
    SCOPED_TRACE(at);
    const TestSnapshot same = make_tree({11, 12, 13, 14, 15}, 100 + at);
    collect_and(at, [&] {
      const auto intake = must(engine().begin(repository_, owner_, false));
      must(put_blob(*intake, same.blobs.front()));
      must(put_blob(*intake, same.blobs.back()));
      if (commit(*intake, same).empty()) return;
      send(*intake, same);
      ASSERT_TRUE(commit(*intake, same).empty());
    });
    expect_readable(same, owner_);
    expect_readable(kNew, owner_);
    expect_clean();
    remove(same);
    advance(2 * kDay);
  }
}

TEST_P(AtEachStep, a_snapshot_that_came_and_went_leaves_no_blob_that_hides_a_missing_one) {
  const size_t steps = prepare();
  for (size_t at = 0; at < steps; ++at) {
    SCOPED_TRACE(at);
    const TestSnapshot same = make_tree({11, 12, 13, 14, 15}, 100 + at);
    collect_and(at, [&] {
      back_up(owner_, same);
      forget(same);
    });
    remove(same);
    expect_clean();
    // Whatever the collection left: a commit tells the truth.
    const TestSnapshot later = make_tree({11, 12, 13, 14, 15}, 200 + at);
    const auto intake = must(engine().begin(repository_, owner_, false));
    send(*intake, later);
    ASSERT_TRUE(commit(*intake, later).empty());
    expect_readable(later, owner_);
    remove(later);
    advance(2 * kDay);
  }
}

TEST_P(AtEachStep, what_is_opened_up_meanwhile_hides_nothing) {
  const size_t steps = prepare();
  for (size_t at = 0; at < steps; ++at) {
    SCOPED_TRACE(at);
    collect_and(at,
                [&] { must(engine().verified(repository_, writer_, ids_of(kOld.blobs), false)); });
    expect_clean();
    const TestSnapshot later = make_tree({1, 2, 3, 4, 5, 6}, 200 + at);
    back_up(owner_, later);
    expect_readable(later, owner_);
    remove(later);
    back_up(writer_, make_tree({1, 2, 3, 4, 5, 6}, 300 + at));
    remove(make_tree({1, 2, 3, 4, 5, 6}, 300 + at));
    advance(2 * kDay);
  }
}

TEST_P(AtEachStep, a_collection_that_is_stopped_there_is_made_good_by_the_next) {
  const size_t steps = prepare();
  for (size_t at = 0; at < steps; ++at) {
    SCOPED_TRACE(at);
    size_t step = 0;
    Engine::CollectOptions options;
    options.wait = {};
    const auto stopped =
        engine().collect(repository_, options, [&](uint64_t, uint64_t) { return step++ < at; });
    EXPECT_EQ(code_of(stopped), Code::cancelled);
    if (at % 5 == 0) house_.reopen();
    EXPECT_EQ(must(engine().remove_leftovers()), 0u);
    expect_clean();
    expect_readable(kNew, owner_);
  }
  collect({});
  EXPECT_EQ(collect({}).dead, 0u);
  expect_clean();
}

}  // namespace
}  // namespace cb::repository
