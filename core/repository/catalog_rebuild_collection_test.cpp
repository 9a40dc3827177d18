// SPDX-License-Identifier: Apache-2.0
//
// A catalog made anew after collection and compaction: it sees what the lost one saw.
#include "core/repository/catalog_rebuild_fixture.h"
#include "core/repository/collection_fixture.h"

namespace cb::repository {
namespace {

class RebuildAfterUpkeep : public CatalogRebuild {
 protected:
  // Three snapshots of each device; the first ones are removed, then all is collected and
  // compacted.
  void fill() {
    for (const Viewer& whose : {owner_, writer_, sharer_})
      for (uint64_t i = 0; i < 9; ++i) {
        alive_.push_back({whose, make_snapshot(++numbers_, 3, 500)});
        commit(whose, alive_.back().second);
      }
    std::vector<BlobId> good;
    for (const auto& [whose, snapshot] : alive_)
      if (whose.device == writer_.device)
        for (const StoredBlob& blob : snapshot.blobs) good.push_back(blob.head.id);
    must(engine().verified(repository_, writer_, std::span(good).first(good.size() / 2), false));
    for (size_t i = 0; i < alive_.size(); i += 4) {
      must(engine().forget(repository_, alive_[i].second.request.snapshot, {}));
      take_from_trash(house_, repository_, alive_[i].second);
    }
    for (size_t i = 0, kept = 0; kept < alive_.size(); ++i) {
      if (i % 4 == 0)
        alive_.erase(alive_.begin() + static_cast<ptrdiff_t>(kept));
      else
        ++kept;
    }
  }

  void collect() {
    Engine::CollectOptions at_once;
    at_once.wait = {};
    house_.clock().set_wall(house_.clock().wall() + 2 * kDay);
    must(engine().collect(repository_, at_once, {}));
  }

  // How many of each snapshot's blobs each device may lean on.
  std::vector<size_t> seen() {
    std::vector<size_t> counts;
    for (const auto& [whose, snapshot] : alive_)
      for (const Viewer& viewer : {owner_, writer_, other_writer_, sharer_})
        counts.push_back(leans_on(viewer, snapshot));
    return counts;
  }
  void expect_same(const std::vector<size_t>& before) {
    expect_doubts(rebuild(), {});
    EXPECT_EQ(seen(), before);
    const auto checked = must(engine().check(repository_, true, {}));
    for (const std::string& finding : checked.findings) ADD_FAILURE() << finding;
    for (const auto& [whose, snapshot] : alive_) expect_readable(snapshot, whose);
    EXPECT_EQ(snapshots(true).size(), alive_.size());
  }

  uint64_t numbers_ = 0;
  std::vector<std::pair<Viewer, TestSnapshot>> alive_;
};

INSTANTIATE_TEST_SUITE_P(Stores, RebuildAfterUpkeep, testing::Values("store-fs", "store-sqlite"),
                         store_name);

TEST_P(RebuildAfterUpkeep, it_sees_the_same_when_the_old_packs_are_gone) {
  fill();
  collect();
  EXPECT_GT(must(engine().compact(repository_, {}, {})).packs, 0u);
  collect();
  const auto before = seen();
  expect_same(before);
  collect();
  EXPECT_EQ(seen(), before);
}

TEST_P(RebuildAfterUpkeep, it_sees_the_same_while_old_and_new_packs_are_there) {
  fill();
  const auto before = seen();
  EXPECT_GT(must(engine().compact(repository_, {}, {})).packs, 0u);
  EXPECT_EQ(seen(), before);
  expect_same(before);
  collect();
  EXPECT_EQ(seen(), before);
  expect_same(before);
}

TEST_P(RebuildAfterUpkeep, signatures_come_back_and_live_as_before) {
  fill();
  std::vector<StoredBlob> put;
  std::vector<BlobId> dead;
  for (const auto& [whose, snapshot] : alive_) {
    const auto intake = must(engine().begin(repository_, whose, false));
    const StoredBlob& data = snapshot.blobs[1];
    ASSERT_EQ(data.head.kind, BlobKind::data);
    put.push_back(make_blob(BlobKind::signature, 800 + put.size(), 90, {data.head.id}));
    must(put_blob(*intake, put.back()));
    // Of nothing that is there.
    const BlobId nothing = make_blob(BlobKind::data, 9000 + put.size(), 1).head.id;
    const StoredBlob lone = make_blob(BlobKind::signature, 8000 + put.size(), 90, {nothing});
    must(put_blob(*intake, lone));
    dead.push_back(lone.head.id);
  }
  const auto told = [this](const Viewer& viewer) {
    const auto ids = must(engine().signatures(repository_, viewer, 0, 999)).ids;
    return std::set<BlobId>(ids.begin(), ids.end());
  };
  collect();
  EXPECT_GT(must(engine().compact(repository_, {}, {})).packs, 0u);
  const auto owners = told(owner_);
  const auto writers = told(writer_);
  EXPECT_GT(owners.size(), 3u);
  EXPECT_GT(writers.size(), owners.size());
  for (const BlobId& id : dead) EXPECT_FALSE(writers.contains(id));
  expect_doubts(rebuild(), {});
  // What was collected and lies in old packs is back, and goes again.
  collect();
  EXPECT_EQ(told(owner_), owners);
  EXPECT_EQ(told(writer_), writers);
  EXPECT_EQ(told(other_writer_), owners);
  for (const StoredBlob& blob : put) {
    if (!writers.contains(blob.head.id)) continue;
    const std::array<BlobId, 1> id = {blob.head.id};
    EXPECT_EQ(must(read_all(engine(), repository_, id)).at(blob.head.id).head.children,
              blob.head.children);
  }
  const auto checked = must(engine().check(repository_, true, {}));
  for (const std::string& finding : checked.findings) ADD_FAILURE() << finding;
}

TEST_P(RebuildAfterUpkeep, all_that_is_stored_counts_for_its_account_again) {
  fill();
  const auto usage = [this] {
    const int64_t account = must(house_.catalog().accounts().account_by_name("alice"))->number;
    return must(house_.catalog().limits().usage(account));
  };
  const auto stored = [&] {
    uint64_t sum = 0;
    for (const catalog::UsageRow& row : usage()) sum += row.pack_bytes + row.record_bytes;
    return sum;
  };
  const auto records_of = [&](const Viewer& whose) {
    for (const catalog::UsageRow& row : usage())
      if (row.device == whose.device.bytes) return row.record_bytes;
    return uint64_t{0};
  };
  const uint64_t before = stored();
  const uint64_t records = records_of(writer_);
  EXPECT_GT(records, 0u);
  rebuild();
  EXPECT_EQ(stored(), before);
  EXPECT_EQ(records_of(writer_), records);
}

}  // namespace
}  // namespace cb::repository
