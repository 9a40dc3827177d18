// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/repository/engine_fixture.h"

namespace cb::repository {
namespace {

// Trees of a source as a client would build them, over a real engine.
class SnapshotChange : public ::testing::Test {
 protected:
  SnapshotChange() : repository_(house_.create()), owner_(house_.add_device(1, Role::owner)) {}

  // Content blobs by number, each of this size.
  std::vector<BlobId> content(uint64_t from, uint64_t until, size_t size = 100) {
    std::vector<BlobId> ids;
    for (uint64_t i = from; i < until; ++i) ids.push_back(put(BlobKind::data, i, size, {}));
    return ids;
  }
  BlobId node(uint64_t number, std::vector<BlobId> children) {
    return put(BlobKind::node, number, 300, std::move(children));
  }
  BlobId put(BlobKind kind, uint64_t number, size_t size, std::vector<BlobId> children) {
    blobs_.push_back(make_blob(kind, number, size, std::move(children)));
    return blobs_.back().head.id;
  }
  // Makes what was put durable, as this device's.
  void send(const Viewer& device) {
    const auto intake = must(house_.engine().begin(repository_, device, false));
    must(put_blob(*intake, session_record(1)));
    for (const StoredBlob& blob : blobs_) must(put_blob(*intake, blob));
    must(intake->flush());
    blobs_.clear();
  }
  TreeChange compare(const BlobId& before, const BlobId& after) {
    return must(house_.engine().compare(repository_, owner_.device, before, after, {}));
  }

  EngineHouse house_;
  RepositoryId repository_;
  Viewer owner_;
  std::vector<StoredBlob> blobs_;
};

TEST_F(SnapshotChange, a_tree_is_measured_node_by_node) {
  const BlobId left = node(1001, content(1, 4)), right = node(1002, content(4, 6, 200));
  const BlobId root = node(1003, {left, right});
  send(owner_);
  const TreeSize size = must(house_.engine().measure(repository_, owner_.device, root, {}));
  EXPECT_EQ(size, (TreeSize{3, 5, 700}));
}

TEST_F(SnapshotChange, what_differs_is_what_only_one_of_two_trees_needs) {
  const BlobId kept = node(1001, content(1, 4));
  const BlobId old_node = node(1002, content(4, 8));
  // Two of the four blobs are replaced.
  std::vector<BlobId> mixed = content(6, 8);
  for (const BlobId& id : content(8, 10, 250)) mixed.push_back(id);
  const BlobId new_node = node(1003, mixed);
  const BlobId before = node(1004, {kept, old_node}), after = node(1005, {kept, new_node});
  send(owner_);
  const TreeChange change = compare(before, after);
  EXPECT_EQ(change.new_blobs, 2u);
  EXPECT_EQ(change.new_bytes, 500u);
  EXPECT_EQ(change.gone_blobs, 2u);
  EXPECT_EQ(change.gone_bytes, 200u);
  EXPECT_EQ(change.less, (TreeSize{2, 4, 400}));
  EXPECT_EQ(change.more, (TreeSize{2, 4, 700}));
  EXPECT_EQ(compare(after, after), TreeChange());
}

TEST_F(SnapshotChange, a_tree_that_grew_a_level_has_still_the_same_below) {
  const BlobId left = node(1001, content(1, 4)), right = node(1002, content(4, 8));
  const BlobId before = node(1003, {left, right});
  const BlobId more = node(1004, content(8, 9));
  const BlobId after = node(1005, {before, more});
  send(owner_);
  const TreeChange change = compare(before, after);
  EXPECT_EQ(change.new_blobs, 1u);
  EXPECT_EQ(change.gone_blobs, 0u);
  EXPECT_EQ(change.less, TreeSize());
  EXPECT_EQ(change.more, (TreeSize{2, 1, 100}));
}

TEST_F(SnapshotChange, a_writers_tree_is_read_as_that_writer_put_it) {
  const Viewer writer = house_.add_device(2, Role::writer);
  const BlobId root = node(1001, content(1, 4));
  send(writer);
  EXPECT_EQ(must(house_.engine().measure(repository_, writer.device, root, {})).blobs, 3u);
}

TEST_F(SnapshotChange, a_tree_that_is_gone_is_not_found_and_a_walk_can_be_stopped) {
  const BlobId root = node(1001, content(1, 4));
  send(owner_);
  BlobId other;
  other.bytes.fill(std::byte{0xee});
  auto gone = house_.engine().compare(repository_, owner_.device, other, root, {});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::not_found);
  auto stopped = house_.engine().measure(repository_, owner_.device, root, [] { return false; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::cancelled);
}

}  // namespace
}  // namespace cb::repository
