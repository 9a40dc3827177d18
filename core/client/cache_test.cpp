// SPDX-License-Identifier: Apache-2.0
//
// The cache and the journal: what is written comes back, damage and strangers are noticed, and only
// what is durable is taken over.
#include "core/client/cache.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "core/client/bundle.h"
#include "core/client/cache_records.h"
#include "core/client/journal.h"
#include "core/client/known_ids.h"

namespace cb::client {
namespace {

namespace fs = std::filesystem;
using repository::BlobId;
using repository::EntryKind;

template <typename Id>
Id id_of(uint64_t number) {
  Id id;
  store_le(id.bytes.data(), number);
  return id;
}

class CacheTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "cb-cache-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    header_.repository = id_of<repository::RepositoryId>(1);
    header_.source = id_of<repository::KeyedHash>(2);
    header_.time_ns = 100'000'000'000;
    places_ = CacheFiles::of(folder_, header_.source);
  }
  void TearDown() override { fs::remove_all(folder_); }

  static CachedEntry file(const std::string& path, uint64_t blob) {
    CachedEntry cached;
    cached.entry.path = path;
    cached.entry.mode = 0644;
    cached.entry.user = "somebody";
    cached.entry.mtime_ns = 5'000'000'000;
    cached.entry.size = 10;
    cached.entry.extents = {{10, false, id_of<BlobId>(blob), 7}};
    cached.stat = {3, blob, 10, 5'000'000'000, 5'000'000'001, 1};
    return cached;
  }

  static CachedEntry any_entry(std::mt19937_64& random, const std::string& path) {
    CachedEntry cached = file(path, random());
    repository::Entry& entry = cached.entry;
    if (random() % 3 == 0) entry.uid = static_cast<uint32_t>(random());
    if (random() % 3 == 0) entry.xattrs = {{"user.a", std::string("\0x", 2)}, {"user.b", ""}};
    if (random() % 5 == 0) entry.flags = repository::kEntryChanged;
    if (random() % 3 == 0) entry.mtime_ns = static_cast<int64_t>(random());
    if (random() % 3 == 0) cached.stat.ctime_ns = static_cast<int64_t>(random());
    if (random() % 3 == 0) cached.stat.device = random();
    entry.kind = static_cast<EntryKind>(1 + random() % 7);
    fill_kind(random, cached);
    return cached;
  }

  static void fill_kind(std::mt19937_64& random, CachedEntry& cached) {
    repository::Entry& entry = cached.entry;
    if (entry.kind == EntryKind::symlink) entry.target = "to/" + std::to_string(random());
    if (entry.kind == EntryKind::block_device) entry.major = static_cast<uint32_t>(random());
    if (entry.kind != EntryKind::file) {
      entry.size = 0;
      entry.extents.clear();
    } else if (random() % 3 == 0) {
      entry.extents.clear();
      entry.extent_root = id_of<BlobId>(random());
      for (uint64_t i = random() % 200; i > 0; --i) cached.blobs.push_back(id_of<BlobId>(random()));
    } else if (random() % 2 == 0) {
      entry.extents.push_back({99, true, {}, 0});
      entry.extents.push_back({3, false, entry.extents[0].blob, 8});
    }
  }

  void write(const os::Path& path, const std::vector<CachedEntry>& entries,
             const std::optional<CacheSummary>& summary) {
    auto writer = CacheWriter::create(os::real_file_system(), path, header_);
    ASSERT_TRUE(writer);
    for (const auto& entry : entries) ASSERT_TRUE((*writer)->add(entry));
    ASSERT_TRUE(summary ? (*writer)->finish(*summary) : (*writer)->flush());
  }

  std::vector<CachedEntry> read(const os::Path& path) {
    std::vector<CachedEntry> entries;
    auto reader = CacheReader::open(os::real_file_system(), path, header_);
    if (!reader) return entries;
    while (auto entry = (*reader)->next()) entries.push_back(std::move(*entry));
    return entries;
  }

  fs::path folder_;
  CacheHeader header_;
  CacheFiles places_;
};

TEST_F(CacheTest, what_is_written_comes_back) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<CachedEntry> entries;
  for (int i = 0; i < 3000; ++i)
    entries.push_back(any_entry(random, "folder/" + std::to_string(100'000 + i)));
  CacheSummary summary;
  summary.snapshot = id_of<BlobId>(9);
  summary.files = 3000;
  summary.bytes = 1 << 30;
  summary.bundles = {{id_of<ShortId>(1), 1000, 10}};
  summary.nodes = {id_of<ShortId>(5), id_of<ShortId>(6)};
  write(places_.cache, entries, summary);
  EXPECT_EQ(read(places_.cache), entries);
  const auto reader = CacheReader::open(os::real_file_system(), places_.cache, header_);
  EXPECT_EQ((*reader)->summary(), summary);
  EXPECT_EQ((*reader)->time_ns(), header_.time_ns);
}

TEST_F(CacheTest, an_entry_with_a_tree_of_extents_but_no_root_is_refused) {
  CachedEntry entry;
  entry.entry.path = "file";
  entry.entry.kind = EntryKind::file;
  entry.entry.extent_root = id_of<BlobId>(7);
  entry.blobs = {id_of<BlobId>(1)};
  const auto refused = [&](const BlobId& root) {
    repository::RecordWriter out;
    CachedEntry last;
    BlobId last_blob;
    write_cached(out, entry, last, last_blob);
    Bytes bytes = out.take();
    const auto at = std::search(bytes.begin(), bytes.end(), entry.entry.extent_root.bytes.begin(),
                                entry.entry.extent_root.bytes.end());
    std::copy(root.bytes.begin(), root.bytes.end(), at);
    repository::RecordReader in(bytes, "block");
    CachedEntry read;
    read_cached(in, read, last_blob);
    return !in.done();
  };
  EXPECT_FALSE(refused(entry.entry.extent_root));
  EXPECT_TRUE(refused(BlobId{}));
}

TEST_F(CacheTest, a_million_entries_take_little_space_each) {
  std::vector<CachedEntry> entries;
  for (uint64_t i = 0; i < 10'000; ++i)
    entries.push_back(file("usr/share/doc/package/" + std::to_string(100'000 + i), i / 100));
  write(places_.cache, entries, CacheSummary{});
  EXPECT_LT(fs::file_size(places_.cache), 10'000u * 50);
}

TEST_F(CacheTest, of_a_cut_off_journal_the_whole_blocks_count) {
  std::vector<CachedEntry> entries;
  for (uint64_t i = 0; i < 5000; ++i) entries.push_back(file(std::to_string(100'000 + i), i));
  write(places_.journal, entries, {});
  const auto size = fs::file_size(places_.journal);
  for (const auto left :
       {size - 1, size / 2, size / 3, uintmax_t{100}, uintmax_t{72}, uintmax_t{5}}) {
    fs::resize_file(places_.journal, left);
    const auto found = read(places_.journal);
    ASSERT_LT(found.size(), entries.size());
    EXPECT_TRUE(std::equal(found.begin(), found.end(), entries.begin()));
    EXPECT_EQ(found.size() > 1000, left > size / 4) << left;
  }
}

TEST_F(CacheTest, no_flipped_byte_gives_an_entry_that_was_not_written) {
  std::vector<CachedEntry> entries;
  for (uint64_t i = 0; i < 100; ++i) entries.push_back(file(std::to_string(1000 + i), i));
  write(places_.cache, entries, CacheSummary{});
  const auto size = fs::file_size(places_.cache);
  for (uintmax_t at = 0; at < size; at += 7) {
    std::fstream out(places_.cache, std::ios::in | std::ios::out | std::ios::binary);
    out.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(out.get() ^ 0x20);
    out.seekp(static_cast<std::streamoff>(at));
    out.put(byte).flush();
    const auto found = read(places_.cache);
    EXPECT_TRUE(found.empty() || found == entries) << at;
    out.seekp(static_cast<std::streamoff>(at));
    out.put(static_cast<char>(byte ^ 0x20));
  }
}

TEST_F(CacheTest, another_repository_or_source_set_is_a_stranger) {
  write(places_.cache, {file("a", 1)}, CacheSummary{});
  CacheHeader other = header_;
  other.repository = id_of<repository::RepositoryId>(7);
  EXPECT_FALSE(CacheReader::open(os::real_file_system(), places_.cache, other));
  other = header_;
  other.source = id_of<repository::KeyedHash>(7);
  EXPECT_FALSE(CacheReader::open(os::real_file_system(), places_.cache, other));
  other = header_;
  other.time_ns = 1;
  EXPECT_TRUE(CacheReader::open(os::real_file_system(), places_.cache, other));
}

TEST_F(CacheTest, a_change_within_two_seconds_of_the_scan_is_not_trusted) {
  write(places_.cache, {file("a", 1)}, CacheSummary{});
  const auto reader = CacheReader::open(os::real_file_system(), places_.cache, header_);
  SourceStat stat = file("a", 1).stat;
  EXPECT_TRUE((*reader)->settled(stat));
  stat.mtime_ns = header_.time_ns - 2'000'000'000;
  EXPECT_FALSE((*reader)->settled(stat));
  stat.mtime_ns -= 1;
  EXPECT_TRUE((*reader)->settled(stat));
  stat.ctime_ns = header_.time_ns + 5;
  EXPECT_FALSE((*reader)->settled(stat));
}

TEST_F(CacheTest, of_a_journal_only_files_whose_blobs_are_there_are_kept) {
  std::vector<CachedEntry> entries;
  for (uint64_t i = 0; i < 10'000; ++i) entries.push_back(file(std::to_string(100'000 + i), i));
  CachedEntry tree = file("tree", 0);
  tree.entry.extents.clear();
  tree.entry.extent_root = id_of<BlobId>(2);
  tree.blobs = {id_of<BlobId>(4), id_of<BlobId>(6)};
  entries.push_back(tree);
  tree.entry.path = "tree-with-a-gap";
  tree.blobs.push_back(id_of<BlobId>(7));
  entries.push_back(tree);
  tree.entry.path = "tree-without-notes";
  tree.blobs.clear();
  entries.push_back(tree);
  write(places_.journal, entries, {});
  size_t most = 0;
  const auto kept = keep_durable(os::real_file_system(), places_, header_, [&](auto ids) {
    most = std::max(most, ids.size());
    std::vector<bool> there;
    for (const BlobId& id : ids) there.push_back(load_le<uint64_t>(id.bytes.data()) % 2 == 0);
    return Result<std::vector<bool>>(there);
  });
  ASSERT_TRUE(kept);
  EXPECT_EQ(*kept, 5001u);
  EXPECT_LE(most, 4096u);
  const auto found = read(places_.kept);
  ASSERT_EQ(found.size(), 5001u);
  EXPECT_EQ(found[1], entries[2]);
  EXPECT_EQ(found.back().entry.path, "tree");
  EXPECT_FALSE(fs::exists(places_.journal));
}

TEST_F(CacheTest, old_entries_are_found_in_step_with_the_walk) {
  write(places_.kept, {file("a/b", 1), file("c", 2)}, {});
  write(places_.cache, {file("a/a", 3), file("a/b", 1), file("a-b", 4), file("c", 5)},
        CacheSummary{});
  OldEntries old;
  for (const auto& path : {places_.kept, places_.cache})
    old.add(std::move(*CacheReader::open(os::real_file_system(), path, header_)));
  EXPECT_FALSE(old.find("a", file("a", 1).stat));
  EXPECT_EQ(old.find("a/a", file("a/a", 3).stat), file("a/a", 3));
  EXPECT_EQ(old.find("a/b", file("a/b", 1).stat), file("a/b", 1));
  EXPECT_FALSE(old.find("a/c", file("a/c", 1).stat));
  EXPECT_FALSE(old.find("a-b", file("a-b", 99).stat));        // another inode
  EXPECT_EQ(old.find("c", file("c", 5).stat), file("c", 5));  // not the kept one's stat
  EXPECT_FALSE(old.find("d", file("d", 5).stat));
}

TEST_F(CacheTest, old_entries_tell_which_files_were_there_and_which_are_gone) {
  write(places_.cache, {file("a.doc", 1), file("b", 2), file("c", 3)}, CacheSummary{});
  OldEntries old;
  old.add(std::move(*CacheReader::open(os::real_file_system(), places_.cache, header_)));
  EXPECT_FALSE(old.find("a.doc.locked", file("a.doc.locked", 9).stat));
  EXPECT_FALSE(old.knew());
  EXPECT_EQ(old.passed(), "a.doc");
  EXPECT_FALSE(old.find("b", file("b", 99).stat));
  EXPECT_TRUE(old.knew());
  EXPECT_EQ(old.passed(), "a.doc");
  EXPECT_TRUE(old.find("c", file("c", 3).stat));
  EXPECT_TRUE(old.knew());
}

TEST_F(CacheTest, known_ids_are_remembered_up_to_a_cap) {
  KnownIds known(1000);
  for (uint64_t i = 1; i <= 3000; ++i) EXPECT_TRUE(known.insert(id_of<ShortId>(i * 7919)));
  EXPECT_EQ(known.size(), 1000u);
  EXPECT_FALSE(known.insert(id_of<ShortId>(7919)));
  EXPECT_TRUE(known.contains(id_of<ShortId>(1000 * 7919)));
  EXPECT_FALSE(known.contains(id_of<ShortId>(1001 * 7919)));
  known.clear();
  EXPECT_FALSE(known.contains(id_of<ShortId>(7919)));
}

TEST_F(CacheTest, known_ids_can_be_forgotten_in_any_order) {
  KnownIds known(100'000);
  std::set<uint64_t> left;
  std::mt19937 random(5);
  for (size_t step = 0; step < 20'000; ++step) {
    // Low numbers share slots with their neighbours.
    const uint64_t number = random() % 500 + 1;
    if (random() % 2 == 0) {
      EXPECT_EQ(known.insert(id_of<ShortId>(number)), left.insert(number).second);
    } else {
      known.erase(id_of<ShortId>(number));
      left.erase(number);
    }
    ASSERT_EQ(known.size(), left.size());
  }
  for (uint64_t number = 1; number <= 500; ++number)
    EXPECT_EQ(known.contains(id_of<ShortId>(number)), left.contains(number)) << number;
}

TEST_F(CacheTest, bundles_of_which_less_than_half_is_used_are_wasteful) {
  const auto blob = [](uint64_t n) { return id_of<BlobId>(n); };
  BundleTable first({});
  first.use(blob(1), 499, 1000);
  first.use(blob(2), 250, 1000);
  first.use(blob(2), 250, 1000);
  BundleTable second(first.uses());
  EXPECT_TRUE(second.wasteful(blob(1)));
  EXPECT_FALSE(second.wasteful(blob(2)));
  EXPECT_FALSE(second.wasteful(blob(3)));
  EXPECT_TRUE(second.uses().empty());
}

}  // namespace
}  // namespace cb::client
