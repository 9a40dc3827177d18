// SPDX-License-Identifier: Apache-2.0
//
// Entries and nodes: order of paths, the way there and back, the worked example of the format
// document, and what the decoder refuses.
#include "core/repository/node.h"

#include <gtest/gtest.h>

#include "core/repository/record_writer.h"
#include "core/repository/tree_fixture.h"

namespace cb::repository {
namespace {

BlobId blob(uint8_t value) {
  BlobId id;
  id.bytes.fill(static_cast<std::byte>(value));
  return id;
}

Entry plain_entry(std::string path, EntryKind kind) {
  Entry entry;
  entry.path = std::move(path);
  entry.kind = kind;
  entry.mode = 0755;
  return entry;
}

// The document's example: a folder, a file of 4 bytes in it, a link.
Node example() {
  Node node;
  node.entries.push_back(plain_entry("a", EntryKind::folder));
  Entry file = plain_entry("a/b", EntryKind::file);
  file.mode = 0644;
  file.uid = 1000;
  file.user = "eve";
  file.mtime_ns = -1;
  file.size = 4;
  file.extents = {{4, false, blob(0xbb), 300}};
  node.entries.push_back(file);
  Entry link = plain_entry("a/c", EntryKind::symlink);
  link.target = "b";
  node.entries.push_back(link);
  return node;
}

TEST(Paths, are_in_order_component_by_component) {
  const std::vector<std::string> sorted = {"a",   "a/b",  "a/b/c", "a/b.c", "a\x01",
                                           "a b", "a-b",  "a.b",   "a.b/c", "a0",
                                           "aa",  "aa/a", "b",     "\x80",  "\xff"};
  for (size_t i = 0; i < sorted.size(); ++i)
    for (size_t j = 0; j < sorted.size(); ++j) {
      const int order = compare_paths(sorted[i], sorted[j]);
      EXPECT_EQ(order < 0, i < j) << sorted[i] << " and " << sorted[j];
      EXPECT_EQ(order == 0, i == j) << sorted[i] << " and " << sorted[j];
    }
}

TEST(Paths, may_not_lead_out_or_be_written_in_two_ways) {
  for (const char* good : {"a", "...", "a/..b", ".a", " ", "-", "\xff/\n"})
    EXPECT_TRUE(is_snapshot_path(good)) << good;
  for (const char* bad : {"", "/", "/a", "a/", "a//b", ".", "..", "a/.", "a/..", "../a", "a/./b"})
    EXPECT_FALSE(is_snapshot_path(bad)) << bad;
  EXPECT_FALSE(is_snapshot_path(std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_snapshot_path(std::string(65536, 'a')));
  EXPECT_FALSE(is_snapshot_path(std::string(65537, 'a')));
}

TEST(Node, has_the_bytes_of_the_worked_example) {
  const EncodedNode encoded = encode(example());
  EXPECT_EQ(to_hex(encoded.plain),
            "0100"
            "03"
            "00"
            "0161"
            "02"
            "ed03"
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"
            "01"
            "022f62"
            "01"
            "a403"
            "e807"
            "00"
            "03657665"
            "00"
            "01"
            "00"
            "00"
            "00"
            "00"
            "00"
            "04"
            "00"
            "01"
            "04"
            "01"
            "ac02"
            "02"
            "0163"
            "03"
            "ed03"
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"
            "0162");
  EXPECT_EQ(encoded.children, std::vector<BlobId>{blob(0xbb)});
}

Node random_leaf(Dice& dice, size_t count) {
  Node node;
  for (auto& [path, entry] : random_entries(dice, count)) node.entries.push_back(std::move(entry));
  return node;
}

TEST(Node, of_entries_comes_back_as_it_was) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Dice dice(seed);
    const Node node = random_leaf(dice, dice.below(40));
    const EncodedNode encoded = encode(node);
    const auto back = decode_node(encoded.plain, encoded.children);
    ASSERT_TRUE(back) << "seed " << seed << ": " << back.error().text();
    EXPECT_EQ(back->entries, node.entries) << "seed " << seed;
  }
}

TEST(Node, of_very_many_short_paths_comes_back) {
  Node node;
  for (int i = 10'000; i < 14'000; ++i)
    node.entries.push_back(plain_entry(std::to_string(i), EntryKind::folder));
  const EncodedNode encoded = encode(node);
  const auto back = decode_node(encoded.plain, encoded.children);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_TRUE(back->entries == node.entries);
}

TEST(Node, of_extents_comes_back_with_blobs_that_repeat) {
  Node node;
  node.type = NodeType::extents;
  for (const uint8_t name : std::vector<uint8_t>{1, 2, 1, 3, 2})
    node.extents.push_back({10, false, blob(name), name});
  node.extents.push_back({5, true, {}, 0});
  const EncodedNode encoded = encode(node);
  EXPECT_EQ(encoded.children, (std::vector<BlobId>{blob(1), blob(2), blob(3)}));
  const auto back = decode_node(encoded.plain, encoded.children);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->extents, node.extents);
}

TEST(Node, above_extents_comes_back_with_children_that_repeat) {
  Node node;
  node.type = NodeType::extents;
  node.level = 1;
  node.lengths = {7, 7, 9};
  node.children = {blob(1), blob(1), blob(2)};
  const EncodedNode encoded = encode(node);
  EXPECT_EQ(encoded.children, (std::vector<BlobId>{blob(1), blob(2)}));
  const auto back = decode_node(encoded.plain, encoded.children);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->lengths, node.lengths);
  EXPECT_EQ(back->children, node.children);
}

TEST(Node, of_keys_comes_back_as_it_was) {
  Node node;
  node.level = 2;
  node.keys = {"a/b", "a/bc", "b"};
  node.children = {blob(1), blob(2), blob(3)};
  const EncodedNode encoded = encode(node);
  const auto back = decode_node(encoded.plain, encoded.children);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->keys, node.keys);
  EXPECT_EQ(back->children, node.children);
}

TEST(Node, cut_off_anywhere_is_corrupt) {
  Dice dice(7);
  const EncodedNode encoded = encode(random_leaf(dice, 20));
  for (size_t size = 0; size < encoded.plain.size(); ++size) {
    const auto back = decode_node(ByteView(encoded.plain).first(size), encoded.children);
    ASSERT_FALSE(back) << size;
    EXPECT_EQ(back.error().code, Code::corrupt);
  }
}

// Whatever the decoder takes is what the encoder writes.
TEST(Node, has_one_encoding) {
  Dice dice(8);
  const EncodedNode encoded = encode(random_leaf(dice, 12));
  for (size_t i = 0; i < encoded.plain.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      EncodedNode flipped = encoded;
      flipped.plain[i] ^= static_cast<std::byte>(1 << bit);
      const auto back = decode_node(flipped.plain, flipped.children);
      if (!back) continue;
      const EncodedNode again = encode(*back);
      ASSERT_EQ(to_hex(again.plain), to_hex(flipped.plain)) << i;
      ASSERT_EQ(again.children, flipped.children) << i;
    }
}

bool refused(const EncodedNode& node) {
  const auto decoded = decode_node(node.plain, node.children);
  return !decoded && decoded.error().code == Code::corrupt;
}

bool refused(const std::function<void(Node&)>& change) {
  Node node = example();
  change(node);
  return refused(encode(node));
}

TEST(Node, with_bad_children_is_corrupt) {
  EncodedNode encoded = encode(example());
  encoded.children.push_back(blob(0xcc));
  EXPECT_TRUE(refused(encoded)) << "unused";
  encoded.children[1] = blob(0xbb);
  EXPECT_TRUE(refused(encoded)) << "twice";
  encoded.children.clear();
  EXPECT_TRUE(refused(encoded)) << "too few";
  encoded.children.assign(1, BlobId{});
  EXPECT_TRUE(refused(encoded)) << "zero";
  encoded.children.assign(kMaxChildren + 1, blob(1));
  EXPECT_TRUE(refused(encoded)) << "too many";
}

TEST(Node, with_bad_paths_is_corrupt) {
  EXPECT_TRUE(refused([](Node& node) { node.entries[1].path = "a/.."; }));
  EXPECT_TRUE(refused([](Node& node) { node.entries[0].path = "/"; }));
  EXPECT_TRUE(refused([](Node& node) { node.entries[2].path = "a/a"; })) << "wrong order";
  EXPECT_TRUE(refused([](Node& node) { node.entries[2].path = "a/b"; })) << "twice";
  EncodedNode shared = encode(example());
  // "a/b" after "a" written with a shorter shared stretch than there is.
  const auto bytes =
      from_hex("01000200016102ed0300000000000000000000000003612f6202ed0300000000000000000000");
  shared = {*bytes, {}};
  EXPECT_TRUE(refused(shared));
}

TEST(Node, with_impossible_values_is_corrupt) {
  EXPECT_TRUE(refused([](Node& node) { node.entries[0].mode = 010000; }));
  EXPECT_TRUE(refused([](Node& node) { node.entries[0].kind = static_cast<EntryKind>(8); }));
  EXPECT_TRUE(refused([](Node& node) { node.entries[1].size = 5; }));
  EXPECT_TRUE(refused([](Node& node) { node.entries[1].size = 3; }));
  EXPECT_TRUE(refused([](Node& node) { node.entries[1].extents[0].offset = kMaxData - 3; }));
  EXPECT_TRUE(refused([](Node& node) { node.entries[1].extents.push_back({0, true, {}, 0}); }));
  EXPECT_TRUE(refused([](Node& node) { node.entries[2].target.clear(); }));
  EXPECT_TRUE(refused([](Node& node) { node.entries[0].xattrs = {{"b", ""}, {"a", ""}}; }));
  EXPECT_TRUE(refused([](Node& node) { node.level = kMaxLevel + 1; }));
}

TEST(Node, of_a_file_that_could_not_be_read_may_lack_its_end) {
  Node node = example();
  node.entries[1].size = 5;
  node.entries[1].flags = kEntryUnreadable;
  const EncodedNode encoded = encode(node);
  EXPECT_TRUE(decode_node(encoded.plain, encoded.children));
}

// Counts that would take gigabytes are refused before anything is allocated for them.
TEST(Node, with_impossible_counts_is_corrupt) {
  for (const uint64_t count : {uint64_t{1} << 20, uint64_t{1} << 40, ~uint64_t{0}})
    for (const uint8_t type : std::vector<uint8_t>{1, 2})
      for (const uint8_t level : std::vector<uint8_t>{0, 1}) {
        RecordWriter to;
        to.byte(type);
        to.byte(level);
        to.uint(count);
        to.fixed(Bytes(1000));
        EXPECT_TRUE(refused(EncodedNode{to.take(), {blob(1)}})) << count;
      }
}

TEST(Node, above_the_leaves_has_as_many_keys_as_children) {
  Node node;
  node.level = 1;
  node.keys = {"a", "b"};
  node.children = {blob(1), blob(2)};
  EncodedNode encoded = encode(node);
  encoded.children.push_back(blob(3));
  EXPECT_TRUE(refused(encoded));
  encoded.children.resize(1);
  EXPECT_TRUE(refused(encoded));
  EXPECT_TRUE(refused(EncodedNode{*from_hex("010100"), {}})) << "no keys at all";
}

}  // namespace
}  // namespace cb::repository
