// SPDX-License-Identifier: Apache-2.0
//
// Looking into snapshots, with really sealed trees.
#include "core/client/listing.h"

#include <chrono>
#include <set>
#include <thread>

#include "core/client/snapshot_fixture.h"
#include "core/client/version_compare.h"

namespace cb::client {
namespace {

using repository::BlobId;

class Listing : public SnapshotFixture {
 protected:
  std::vector<std::string> list(const BlobId& root, const std::string& path, bool recursive) {
    std::vector<std::string> paths;
    const Status done =
        list_folder(fetcher_->source(), root, path, recursive, [&](const Entry& entry) -> Status {
          paths.push_back(entry.path);
          return {};
        });
    if (!done) paths.push_back(done.error().text());
    return paths;
  }

  using Paths = std::vector<std::string>;
};

TEST_F(Listing, a_folder_shows_what_is_directly_in_it) {
  const BlobId root =
      tree({folder("a"), file("a/x", "1"), folder("a/b"), file("a/b/y", "2"), file("a.txt", "3"),
            folder("a b"), file("a b/z", "4"), file("implied/deep/w", "5"), symlink("l", "a")});
  EXPECT_EQ(list(root, "", false), (Paths{"a", "a b", "a.txt", "implied", "l"}));
  EXPECT_EQ(list(root, "a", false), (Paths{"a/b", "a/x"}));
  EXPECT_EQ(list(root, "a", true), (Paths{"a/b", "a/b/y", "a/x"}));
  EXPECT_EQ(list(root, "implied", false), (Paths{"implied/deep"}));
  EXPECT_EQ(list(root, "a/x", false), (Paths{"a/x"}));
  EXPECT_EQ(list(root, "", true).size(), 9U);
  EXPECT_NE(list(root, "a/missing", false).front().find("not in this snapshot"), std::string::npos);
}

TEST_F(Listing, the_top_of_a_large_snapshot_reads_few_nodes) {
  std::vector<Entry> entries;
  for (int f = 0; f < 5; ++f)
    for (int i = 0; i < 10'000; ++i)
      entries.push_back(
          file("folder" + std::to_string(f) + "/file" + std::to_string(i + 10'000), ""));
  const BlobId root = tree(entries);
  EXPECT_EQ(list(root, "", false).size(), 5U);
  EXPECT_LT(fetcher_->nodes_fetched(), 20U);
}

TEST_F(Listing, a_search_in_many_snapshots_reads_shared_nodes_once) {
  std::vector<Entry> entries;
  for (int i = 0; i < 20'000; ++i)
    entries.push_back(file("folder/file" + std::to_string(100'000 + i), ""));
  std::vector<BlobId> roots;
  for (int i = 0; i < 10; ++i) {
    entries[static_cast<size_t>(i) * 1999].mode = 0600;
    roots.push_back(tree(entries));
  }
  (void)must(fetcher_->node(roots[0]));
  TreeSearch first(fetcher_->walking_source(),
                   [](const Entry& entry) { return fits_pattern("*07*7", entry.path); });
  const auto search = [&](TreeSearch& with, const BlobId& root) {
    size_t found = 0;
    EXPECT_TRUE(with.search(root, [&](const Entry&) -> Status {
      ++found;
      return {};
    }));
    return found;
  };
  const size_t found = search(first, roots[0]);
  EXPECT_GT(found, 100U);
  const uint64_t one = fetcher_->nodes_fetched();
  for (const BlobId& root : roots) EXPECT_EQ(search(first, root), found);
  EXPECT_LT(fetcher_->nodes_fetched(), one + 60);
}

TEST_F(Listing, patterns_fit_names_or_whole_paths) {
  EXPECT_TRUE(fits_pattern("*.tex", "home/ann/thesis.tex"));
  EXPECT_FALSE(fits_pattern("home*", "home/ann/thesis.tex"));
  EXPECT_TRUE(fits_pattern("home/*.tex", "home/ann/thesis.tex"));
  EXPECT_TRUE(fits_pattern("/home/ann/*", "home/ann/thesis.tex"));
  EXPECT_TRUE(fits_pattern("[a-c]?", "x/b1"));
  EXPECT_FALSE(fits_pattern("a/*", "b/a/c"));
}

TEST_F(Listing, comparing_two_large_trees_that_differ_in_ten_reads_few_nodes) {
  std::vector<Entry> entries;
  for (int i = 0; i < 100'000; ++i)
    entries.push_back(file("d" + std::to_string(1000 + i / 100) + "/f" + std::to_string(i), ""));
  const BlobId before = tree(entries);
  for (size_t i = 0; i < 10; ++i) entries[i * 9'999].mtime_ns += 1;
  const BlobId after = tree(entries);
  size_t differences = 0;
  const Status done = repository::compare_trees(
      fetcher_->source(), before, after, [&](const repository::Difference& difference) -> Status {
        ++differences;
        const auto changes = changes_between(*difference.before, *difference.after);
        EXPECT_EQ(changes, std::vector<std::string>{"mtime"});
        return {};
      });
  EXPECT_TRUE(done) << done.error().text();
  EXPECT_EQ(differences, 10U);
  EXPECT_LT(fetcher_->nodes_fetched(), 60U);
  RecordProperty("nodes", static_cast<int>(fetcher_->nodes_fetched()));
}

TEST_F(Listing, changes_are_named) {
  const Entry one = file("f", "content");
  EXPECT_EQ(changes_between(one, one), Paths());
  Entry other = file("f", "Content");
  other.mode = 0600;
  EXPECT_EQ(changes_between(one, other), (Paths{"content", "mode"}));
  EXPECT_EQ(changes_between(one, symlink("f", "x")),
            (Paths{"kind", "size", "content", "target", "mode"}));
}

TEST_F(Listing, content_that_only_lies_elsewhere_has_not_changed) {
  Extent here = data(text(1000));
  here.offset = 100;
  here.length = 300;
  Bytes moved = random_bytes(50, 1);
  const Bytes same = text(1000);
  moved.insert(moved.end(), same.begin() + 100, same.begin() + 400);
  Extent there = data(moved);
  there.offset = 50;
  there.length = 300;
  Extent other = there;
  other.offset = 49;
  VersionCompare compare(*fetcher_);
  const auto changes = [&](const Extent& before, const Extent& after) {
    return must(compare.changes(file("f", {before}), file("f", {after})));
  };
  EXPECT_EQ(changes(here, there), Paths());
  EXPECT_EQ(changes(here, other), Paths{"content"});
  Extent lost = data(random_bytes(900, 2));
  lost.length = 300;
  remote_->blobs.erase(lost.blob);
  EXPECT_EQ(changes(here, lost), Paths{"content"});
  const size_t asked = remote_->asked.size();
  Entry large = file("f", {here});
  Entry larger = file("f", {there});
  large.extent_root = there.blob;
  EXPECT_EQ(must(compare.changes(large, larger)), Paths{"content"});
  EXPECT_EQ(remote_->asked.size(), asked) << "large ones are not fetched";
}

class Dump : public SnapshotFixture {
 protected:
  Result<Bytes> dumped(const BlobId& root, const std::string& path) {
    Bytes out;
    CB_TRY(dump(*fetcher_, root, path, [&](ByteView bytes) -> Status {
      out.insert(out.end(), bytes.begin(), bytes.end());
      return {};
    }));
    return out;
  }
};

TEST_F(Dump, writes_content_holes_and_all_in_order) {
  std::vector<Extent> extents;
  Bytes expected;
  for (uint32_t i = 0; i < 200; ++i) {
    const Bytes piece = random_bytes(1 + i * 37, i);
    Extent extent = data(piece);
    extent.offset = i % 2 == 0 ? 0 : i;
    extent.length = piece.size() - extent.offset;
    extents.push_back(extent);
    expected.insert(expected.end(), piece.begin() + static_cast<long>(extent.offset), piece.end());
    if (i % 10 == 0) {
      extents.push_back(hole(100'000));
      expected.resize(expected.size() + 100'000);
    }
  }
  const BlobId root = tree({folder("d"), file("d/f", extents), symlink("d/l", "f")});
  EXPECT_TRUE(must(dumped(root, "d/f")) == expected);
  EXPECT_EQ(repository::code_of(dumped(root, "d/missing")), Code::not_found);
  EXPECT_EQ(repository::code_of(dumped(root, "d/l")), Code::invalid);
  damage(extents[101].blob);  // no hole
  EXPECT_EQ(repository::code_of(dumped(root, "d/f")), Code::corrupt);
}

TEST_F(Dump, fetches_what_comes_next_while_it_writes) {
  std::vector<Extent> extents;
  std::set<BlobId> content;
  for (uint32_t i = 0; i < 40; ++i) {
    extents.push_back(data(random_bytes(500, i)));
    content.insert(extents.back().blob);
  }
  const BlobId root = tree({file("f", extents)});
  const auto asked = [&] {
    const std::lock_guard lock(remote_->mutex);
    return std::count_if(remote_->asked.begin(), remote_->asked.end(),
                         [&](const BlobId& id) { return content.contains(id); });
  };
  remote_->asked.clear();
  // While the writing of any blob but the last eight has not ended, more are asked for.
  long written = 0;
  const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const Status done = dump(*fetcher_, root, "f", [&](ByteView) -> Status {
    ++written;
    if (written % 8 != 1 || written > 32) return {};
    while (asked() < written + 8 && std::chrono::steady_clock::now() < late)
      std::this_thread::yield();
    EXPECT_GE(asked(), written + 8);
    return {};
  });
  EXPECT_TRUE(done) << done.error().text();
  EXPECT_EQ(written, 40);
}

TEST_F(Dump, a_stretch_beyond_its_blob_is_refused) {
  Extent extent = data(text(100));
  extent.offset = 50;
  EXPECT_EQ(repository::code_of(dumped(tree({file("f", {extent})}), "f")), Code::corrupt);
}

}  // namespace
}  // namespace cb::client
