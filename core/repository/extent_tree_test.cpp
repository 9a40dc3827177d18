// SPDX-License-Identifier: Apache-2.0
//
// Extents of large files: inline or in a tree, read as a whole or in ranges.
#include <gtest/gtest.h>

#include "core/repository/tree.h"
#include "core/repository/tree_fixture.h"

namespace cb::repository {
namespace {

struct Placed {
  uint64_t at;
  Extent extent;
  bool operator==(const Placed&) const = default;
};

Entry build_file(NodeMap& nodes, const std::vector<Extent>& extents) {
  Entry file;
  file.path = "file";
  ExtentBuilder builder(kTreeSeed, nodes.sink());
  for (const Extent& extent : extents) {
    EXPECT_TRUE(builder.add(extent));
    file.size += extent.length;
  }
  EXPECT_TRUE(builder.finish(file));
  return file;
}

std::vector<Extent> random_extents(Dice& dice, size_t count) {
  std::vector<Extent> extents(count);
  for (Extent& extent : extents) extent = random_extent(dice);
  return extents;
}

std::vector<Extent> all_of(NodeMap& nodes, const Entry& file) {
  std::vector<Extent> found;
  const Status status = for_each_extent(file, nodes.source(), [&found](const Extent& extent) {
    found.push_back(extent);
    return Status{};
  });
  EXPECT_TRUE(status) << status.error().text();
  return found;
}

std::vector<Placed> range_of(NodeMap& nodes, const Entry& file, uint64_t offset, uint64_t length) {
  std::vector<Placed> found;
  EXPECT_TRUE(extents_of_range(file, offset, length, nodes.source(),
                               [&found](uint64_t at, const Extent& extent) {
                                 found.push_back({at, extent});
                                 return Status{};
                               }));
  return found;
}

TEST(Extents, are_inline_up_to_64) {
  Dice dice(1);
  for (const size_t count : {0, 1, 64}) {
    NodeMap nodes;
    const auto extents = random_extents(dice, count);
    const Entry file = build_file(nodes, extents);
    EXPECT_EQ(file.extents, extents);
    EXPECT_TRUE(file.extent_root.is_zero());
    EXPECT_TRUE(nodes.nodes.empty());
    EXPECT_EQ(all_of(nodes, file), extents);
  }
}

TEST(Extents, past_64_are_a_tree) {
  Dice dice(2);
  NodeMap nodes;
  const auto extents = random_extents(dice, 65);
  const Entry file = build_file(nodes, extents);
  EXPECT_TRUE(file.extents.empty());
  EXPECT_FALSE(file.extent_root.is_zero());
  EXPECT_EQ(nodes.nodes.size(), 1U);
  EXPECT_EQ(all_of(nodes, file), extents);
}

TEST(Extents, of_a_range_are_read_from_few_nodes) {
  Dice dice(3);
  NodeMap nodes;
  const auto extents = random_extents(dice, 20'000);
  const Entry file = build_file(nodes, extents);
  EXPECT_GT(nodes.nodes.size(), 20U);
  EXPECT_EQ(all_of(nodes, file), extents);
  for (int i = 0; i < 100; ++i) {
    const uint64_t offset = dice.below(file.size + 10);
    const uint64_t length = dice.below(4 << 20);
    std::vector<Placed> wanted;
    uint64_t at = 0;
    for (const Extent& extent : extents) {
      if (at < offset + length && at + extent.length > offset && length > 0)
        wanted.push_back({at, extent});
      at += extent.length;
    }
    nodes.reads = 0;
    EXPECT_EQ(range_of(nodes, file, offset, length), wanted) << offset << " " << length;
    EXPECT_LE(nodes.reads, 6U);
  }
  EXPECT_EQ(range_of(nodes, file, file.size - 1, ~0ULL).size(), 1U);
}

TEST(Extents, of_one_blob_over_and_over_make_a_small_tree) {
  Dice dice(4);
  NodeMap nodes;
  Extent same = random_extent(dice);
  same.hole = false;
  same.blob = dice.id();
  same.length = 4096;
  const std::vector<Extent> extents(200'000, same);
  const Entry file = build_file(nodes, extents);
  EXPECT_LE(nodes.nodes.size(), 10U);
  EXPECT_EQ(all_of(nodes, file).size(), extents.size());
  EXPECT_EQ(range_of(nodes, file, 4096ULL * 150'000, 4096).size(), 1U);
}

TEST(Extents, inserted_change_few_nodes) {
  Dice dice(5);
  NodeMap nodes;
  auto extents = random_extents(dice, 20'000);
  build_file(nodes, extents);
  const size_t whole = nodes.nodes.size();
  extents.insert(extents.begin() + 3, random_extent(dice));
  build_file(nodes, extents);
  EXPECT_LE(nodes.nodes.size() - whole, 5U);
}

TEST(Extents, that_are_impossible_are_not_taken) {
  NodeMap nodes;
  ExtentBuilder builder(kTreeSeed, nodes.sink());
  EXPECT_EQ(builder.add({0, true, {}, 0}).error().code, Code::invalid);
  EXPECT_EQ(builder.add({1, false, {}, 0}).error().code, Code::invalid);
  Dice dice(6);
  EXPECT_EQ(builder.add({kMaxData, false, dice.id(), 1}).error().code, Code::invalid);
}

TEST(Extents, of_a_tree_that_is_not_of_the_files_size_are_corrupt) {
  Dice dice(7);
  NodeMap nodes;
  Entry file = build_file(nodes, random_extents(dice, 5000));
  const auto visit = [](const Extent&) { return Status{}; };
  ++file.size;
  EXPECT_EQ(for_each_extent(file, nodes.source(), visit).error().code, Code::corrupt);
  file.flags = kEntryUnreadable;
  EXPECT_TRUE(for_each_extent(file, nodes.source(), visit));
  --file.size;
  EncodedNode& encoded = nodes.nodes[file.extent_root];
  Node root = decode_node(encoded.plain, encoded.children).value();
  ASSERT_GT(root.lengths.size(), 2U);
  ++root.lengths[0];
  --root.lengths[1];
  encoded = encode(root);
  EXPECT_EQ(for_each_extent(file, nodes.source(), visit).error().code, Code::corrupt);
}

// Frozen, as for entries.
TEST(Extents, end_nodes_where_they_always_did) {
  Dice dice(8);
  NodeMap nodes;
  const Entry file = build_file(nodes, random_extents(dice, 2000));
  EXPECT_EQ(nodes.nodes.size(), 5U);
  EXPECT_EQ(file.extent_root.hex(),
            "80a74711e3c135e3eb9cf03edea9ebe238f6e92cd6949f40b35820699c7ed5a4");
}

}  // namespace
}  // namespace cb::repository
