// SPDX-License-Identifier: Apache-2.0
//
// Entry trees: what is added comes back in order, edits change only nodes near them, comparing
// skips what is equal, and trees that lie are noticed.
#include "core/repository/tree.h"

#include <gtest/gtest.h>

#include <set>

#include "core/repository/tree_fixture.h"

namespace cb::repository {
namespace {

std::vector<Entry> walk(NodeMap& nodes, const BlobId& root, std::string_view from = {}) {
  TreeWalker walker(nodes.source(), root);
  std::vector<Entry> found;
  if (!from.empty() && !walker.seek(from)) ADD_FAILURE() << "cannot seek " << from;
  while (true) {
    auto next = walker.next();
    EXPECT_TRUE(next) << next.error().text();
    if (!next || !*next) return found;
    found.push_back(std::move(**next));
  }
}

std::vector<Entry> values(const EntryMap& entries) {
  std::vector<Entry> list;
  for (const auto& [path, entry] : entries) list.push_back(entry);
  return list;
}

// A few random entries removed, changed and added.
void edit(Dice& dice, EntryMap& entries, size_t edits) {
  for (size_t i = 0; i < edits; ++i) {
    auto at = entries.lower_bound(random_path(dice));
    if (at == entries.end()) at = entries.begin();
    const uint64_t what = dice.below(3);
    if (what == 0 && at != entries.end()) entries.erase(at);
    if (what == 1 && at != entries.end()) ++at->second.mtime_ns;
    if (what == 2) {
      const std::string path = random_path(dice);
      entries.insert_or_assign(path, random_entry(dice, path));
    }
  }
}

std::vector<Difference> naive_differences(const EntryMap& before, const EntryMap& after) {
  std::vector<Difference> found;
  std::set<std::string, PathLess> paths;
  for (const auto& [path, entry] : before) paths.insert(path);
  for (const auto& [path, entry] : after) paths.insert(path);
  for (const std::string& path : paths) {
    Difference difference;
    if (const auto at = before.find(path); at != before.end()) difference.before = at->second;
    if (const auto at = after.find(path); at != after.end()) difference.after = at->second;
    if (difference.before != difference.after) found.push_back(difference);
  }
  return found;
}

std::vector<Difference> differences(NodeMap& nodes, const BlobId& before, const BlobId& after) {
  std::vector<Difference> found;
  const Status status =
      compare_trees(nodes.source(), before, after, [&found](const Difference& difference) {
        found.push_back(difference);
        return Status{};
      });
  EXPECT_TRUE(status) << status.error().text();
  return found;
}

void expect_same(const std::vector<Difference>& a, const std::vector<Difference>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].before, b[i].before);
    EXPECT_EQ(a[i].after, b[i].after);
  }
}

// Many small entries, quickly: d000/d000/f000...
Entry numbered_entry(uint64_t number) {
  Entry entry;
  char path[64];
  std::snprintf(path, sizeof path, "home/d%03u/d%03u/file-%03u.txt",
                static_cast<unsigned>(number / 10000), static_cast<unsigned>(number / 100 % 100),
                static_cast<unsigned>(number % 100));
  entry.path = path;
  entry.mode = 0644;
  entry.user = entry.group = "user";
  entry.mtime_ns = 1'700'000'000'000'000'000 + static_cast<int64_t>(number);
  entry.size = 1000;
  BlobId blob;
  store_le(blob.bytes.data(), number / 50 + 1);
  entry.extents = {{1000, false, blob, number % 50 * 1000}};
  return entry;
}

BlobId build_numbered(NodeMap& nodes, uint64_t count, const std::set<uint64_t>& changed) {
  TreeBuilder builder(kTreeSeed, nodes.sink());
  for (uint64_t number = 0; number < count; ++number) {
    Entry entry = numbered_entry(number);
    if (changed.count(number) != 0) {
      if (number % 3 == 0) continue;  // removed
      if (number % 3 == 1) ++entry.mtime_ns;
      if (number % 3 == 2) {
        Entry added = entry;
        added.path += "+";
        EXPECT_TRUE(builder.add(entry));
        entry = added;
      }
    }
    EXPECT_TRUE(builder.add(entry));
  }
  return builder.finish().value();
}

TEST(Tree, without_entries_is_one_node) {
  NodeMap nodes;
  const BlobId root = build(nodes, {});
  ASSERT_EQ(nodes.nodes.size(), 1U);
  EXPECT_EQ(to_hex(nodes.nodes[root].plain), "010000");
  EXPECT_TRUE(walk(nodes, root).empty());
  EXPECT_TRUE(walk(nodes, root, "a").empty());
  EXPECT_FALSE(find_entry(nodes.source(), root, "a").value());
  Dice dice(1);
  const EntryMap some = random_entries(dice, 5);
  expect_same(differences(nodes, root, build(nodes, some)), naive_differences({}, some));
  expect_same(differences(nodes, build(nodes, some), root), naive_differences(some, {}));
}

TEST(Tree, gives_back_its_entries_in_order) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    Dice dice(seed);
    NodeMap nodes;
    const EntryMap entries = random_entries(dice, 1 + dice.below(3000));
    const BlobId root = build(nodes, entries);
    EXPECT_EQ(walk(nodes, root), values(entries)) << "seed " << seed;
    EXPECT_LE(nodes.largest, 192U * 1024);
  }
}

TEST(Tree, starts_a_walk_anywhere) {
  Dice dice(3);
  NodeMap nodes;
  const EntryMap entries = random_entries(dice, 3000);
  const BlobId root = build(nodes, entries);
  for (int i = 0; i < 200; ++i) {
    auto wanted = entries.lower_bound(random_path(dice));
    std::string path = wanted == entries.end() ? "\xff\xff" : wanted->first;
    if (dice.one_in(2)) path.pop_back();
    if (path.empty()) continue;
    wanted = entries.lower_bound(path);
    TreeWalker walker(nodes.source(), root);
    nodes.reads = 0;
    ASSERT_TRUE(walker.seek(path));
    EXPECT_LE(nodes.reads, 3U);
    const auto next = walker.next();
    ASSERT_TRUE(next);
    ASSERT_EQ(next->has_value(), wanted != entries.end()) << path;
    if (!*next) continue;
    EXPECT_EQ((*next)->path, wanted->first);
  }
  const std::string middle = std::next(entries.begin(), 1500)->first;
  EXPECT_EQ(walk(nodes, root, middle).size(), 1500U);
}

TEST(Tree, finds_an_entry_with_one_read_a_level) {
  NodeMap nodes;
  const BlobId root = build_numbered(nodes, 20'000, {});
  for (const uint64_t number : {0, 777, 19'999}) {
    nodes.reads = 0;
    const Entry wanted = numbered_entry(number);
    const auto found = find_entry(nodes.source(), root, wanted.path);
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, wanted);
    EXPECT_LE(nodes.reads, 3U);
    EXPECT_FALSE(find_entry(nodes.source(), root, wanted.path + "-").value());
  }
}

TEST(Tree, changes_only_near_edits) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    Dice dice(seed);
    NodeMap nodes;
    EntryMap entries = random_entries(dice, 6000);
    const BlobId before = build(nodes, entries);
    EXPECT_EQ(build(nodes, entries), before);
    const size_t whole = nodes.nodes.size();
    edit(dice, entries, 3);
    build(nodes, entries);
    EXPECT_GT(whole, 12U);
    EXPECT_LE(nodes.nodes.size() - whole, 3 * 3 + 3U) << "seed " << seed << " of " << whole;
  }
}

TEST(Tree, comparison_finds_what_differs) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Dice dice(seed);
    NodeMap nodes;
    const EntryMap before = random_entries(dice, dice.below(2500));
    EntryMap after = before;
    edit(dice, after, dice.one_in(4) ? 500 : dice.below(12));
    if (dice.one_in(3)) after.erase(after.begin(), std::next(after.begin(), after.size() / 2));
    SCOPED_TRACE("seed " + std::to_string(seed));
    expect_same(differences(nodes, build(nodes, before), build(nodes, after)),
                naive_differences(before, after));
  }
}

TEST(Tree, comparison_reads_few_nodes) {
  NodeMap nodes;
  constexpr uint64_t kCount = 120'000;
  std::set<uint64_t> changed;
  for (uint64_t i = 0; i < 10; ++i) changed.insert(i * (kCount / 10) + 5000 + i);
  const BlobId before = build_numbered(nodes, kCount, {});
  const BlobId after = build_numbered(nodes, kCount, changed);
  nodes.reads = 0;
  EXPECT_EQ(differences(nodes, before, after).size(), 10U);
  EXPECT_GT(nodes.nodes.size(), 200U);
  EXPECT_LT(nodes.reads, 100U);
  nodes.reads = 0;
  EXPECT_TRUE(differences(nodes, after, after).empty());
  EXPECT_EQ(nodes.reads, 0U);
}

// Frozen: other bytes or other ends of nodes would store every tree of every repository anew.
TEST(Tree, ends_nodes_where_it_always_did) {
  NodeMap nodes;
  const BlobId root = build_numbered(nodes, 3000, {});
  EXPECT_EQ(nodes.nodes.size(), 6U);
  EXPECT_EQ(root.hex(), "c4db757d3e343d71110af6b9401730e037543ab1fb18048a4331a828af94136b");
}

TEST(Tree, takes_no_entry_out_of_order_and_no_impossible_one) {
  NodeMap nodes;
  TreeBuilder builder(kTreeSeed, nodes.sink());
  ASSERT_TRUE(builder.add(numbered_entry(5)));
  EXPECT_EQ(builder.add(numbered_entry(5)).error().code, Code::invalid);
  EXPECT_EQ(builder.add(numbered_entry(4)).error().code, Code::invalid);
  Entry bad = numbered_entry(6);
  bad.path = "x/../y";
  EXPECT_EQ(builder.add(bad).error().code, Code::invalid);
  Entry huge = numbered_entry(6);
  huge.xattrs = {{"user.a", std::string(600'000, 'x')}};
  EXPECT_EQ(builder.add(huge).error().code, Code::limit);
  ASSERT_TRUE(builder.add(numbered_entry(6)));
  EXPECT_EQ(walk(nodes, builder.finish().value()).size(), 2U);
}

// Keys so long that a node above the leaves is full with one of them still come to an end.
TEST(Tree, of_the_longest_paths_has_a_root) {
  NodeMap nodes;
  TreeBuilder builder(kTreeSeed, nodes.sink());
  for (char c = 'a'; c <= 'z'; ++c) {
    Entry entry;
    entry.kind = EntryKind::folder;
    entry.path = std::string(65'536, c);
    ASSERT_TRUE(builder.add(entry));
  }
  const auto root = builder.finish();
  ASSERT_TRUE(root);
  EXPECT_LE(nodes.largest, kMaxNode);
  EXPECT_EQ(walk(nodes, *root).size(), 26U);
}

TEST(Tree, failure_of_the_sink_is_handed_on) {
  TreeBuilder builder(kTreeSeed, [](const EncodedNode&) -> Result<BlobId> {
    return failed(Code::closed, "connection", "is gone");
  });
  ASSERT_TRUE(builder.add(numbered_entry(1)));
  EXPECT_EQ(builder.finish().error().code, Code::closed);
}

// A node in the place of another, both well-formed.
TEST(Tree, whose_nodes_do_not_fit_together_is_corrupt) {
  NodeMap nodes;
  const BlobId root = build_numbered(nodes, 3000, {});
  const auto top = decode_node(nodes.nodes[root].plain, nodes.nodes[root].children);
  ASSERT_TRUE(top && top->children.size() > 2);
  const auto refused = [&nodes](const Node& wrong) {
    const BlobId wrong_root = nodes.sink()(encode(wrong)).value();
    TreeWalker walker(nodes.source(), wrong_root);
    auto next = walker.next();
    while (next && *next) next = walker.next();
    return !next && next.error().code == Code::corrupt;
  };
  Node swapped = *top;
  std::swap(swapped.children[0], swapped.children[1]);
  EXPECT_TRUE(refused(swapped));
  Node renamed = *top;
  renamed.keys[1] += "x";
  EXPECT_TRUE(refused(renamed));
  Node higher = *top;
  higher.level = 2;
  EXPECT_TRUE(refused(higher));
  Node other_type;
  other_type.type = NodeType::extents;
  other_type.extents = {{1, true, {}, 0}};
  EXPECT_TRUE(refused(other_type));
}

}  // namespace
}  // namespace cb::repository
