// SPDX-License-Identifier: Apache-2.0
//
// Restoring snapshots made by hand, good and hostile ones, into real folders.
#include <malloc.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/client/restore_fixture.h"

namespace cb::client {
namespace {

namespace fs = std::filesystem;
using repository::BlobId;

class Restoring : public RestoreFixture {};

TEST_F(Restoring, every_kind_of_entry_comes_back) {
  Entry first = file("d/one", "linked");
  first.device = 1;
  first.inode = 7;
  Entry second = first;
  second.path = "d/two";
  Entry with_xattr = file("d/x", "x");
  with_xattr.xattrs = {{"user.note", "text"}};
  Entry pipe = entry("d/pipe", EntryKind::fifo, 0620);
  const BlobId root =
      tree({folder("d", 0750), first, second, with_xattr, pipe, file("d/e", ""),
            symlink("d/l", "../anything"), file("d/\xff\n-", "odd"), file("implied/f", "i")});
  const RestoreResult result = restored(request(root));
  EXPECT_EQ(problems(result), Names());
  EXPECT_EQ(result.counts.files, 6U);
  EXPECT_EQ(content("d/one"), "linked");
  EXPECT_EQ(stat_of("d/one").st_ino, stat_of("d/two").st_ino);
  EXPECT_EQ(content("d/\xff\n-"), "odd");
  EXPECT_EQ(content("d/e"), "");
  EXPECT_EQ(content("implied/f"), "i");
  EXPECT_EQ(fs::read_symlink(target_ / "d/l"), "../anything");
  EXPECT_TRUE(S_ISFIFO(stat_of("d/pipe").st_mode));
  EXPECT_EQ(stat_of("d/pipe").st_mode & 07777U, 0620U);
  EXPECT_EQ(stat_of("d").st_mode & 07777U, 0750U);
  EXPECT_EQ(stat_of("d").st_mtim.tv_nsec, 123'456'789);
  EXPECT_EQ(stat_of("d/l").st_mtim.tv_sec, 1'600'000'000);
  EXPECT_TRUE(state_is_empty());
}

TEST_F(Restoring, contents_in_shared_blobs_many_pieces_and_holes_come_back) {
  const Bytes bundle = random_bytes(100'000, 1);
  std::vector<Entry> entries;
  std::map<std::string, std::string> expected;
  for (size_t i = 0; i < 300; ++i) {
    const std::string path = "small" + std::to_string(1000 + i);
    Extent part = data(bundle);
    part.offset = i * 300;
    part.length = 300;
    entries.push_back(file(path, std::vector<Extent>{part}));
    expected[path] = as_text(ByteView(bundle).subspan(i * 300, 300));
  }
  std::vector<Extent> many{hole(1 << 20)};
  expected["many"] = std::string(1 << 20, '\0');
  for (uint32_t i = 0; i < 700; ++i) {
    const Bytes piece = random_bytes(1000 + i, i % 50);
    many.push_back(data(piece));
    expected["many"] += as_text(piece);
  }
  many.push_back(hole(4 << 20));
  expected["many"] += std::string(4 << 20, '\0');
  entries.push_back(file("many", many));
  forget_keys();
  RestoreRequest wanted = request(tree(entries));
  wanted.verify = true;
  forget_keys();
  EXPECT_EQ(restored(wanted).problem_count, 0U);
  for (const auto& [path, text] : expected) EXPECT_TRUE(content(path) == text) << path;
  EXPECT_LT(stat_of("many").st_blocks * 512, 2 << 20) << "holes are kept";
  std::map<BlobId, int> asked;
  for (const BlobId& id : remote_->asked) EXPECT_EQ(++asked[id], 1) << "fetched twice";
}

TEST_F(Restoring, a_folder_goes_into_the_target_and_a_file_under_its_name) {
  const BlobId root = tree({folder("a"), folder("a/b", 0700), file("a/b/f", "1"), folder("a/b/sub"),
                            file("a/b/sub/g", "2"), file("a/bc", "3"), file("a/z", "4")});
  EXPECT_EQ(restored(request(root, "a/b")).counts.files, 2U);
  EXPECT_EQ(names(), (Names{"f", "sub", "sub/g"}));
  EXPECT_EQ(stat_of("").st_mode & 07777U, 0700U) << "it was made, so it is the folder";
  fs::remove_all(target_);
  EXPECT_EQ(restored(request(root, "a/bc")).counts.files, 1U);
  EXPECT_EQ(names(), Names{"bc"});
  EXPECT_EQ(repository::code_of(restore(request(root, "a/missing"))), Code::not_found);
  EXPECT_EQ(repository::code_of(restore(request(root, "a/b/f/below"))), Code::not_found);
}

TEST_F(Restoring, policies_decide_what_becomes_of_what_is_there) {
  const BlobId root = tree({file("same", "12345"), file("other", "abc"), file("new", "n")});
  restored(request(root));
  write("other", "xyzxyz");
  const auto again = [&](Overwrite policy) {
    RestoreRequest wanted = request(root);
    wanted.overwrite = policy;
    steps_.clear();
    return restored(wanted).counts;
  };
  EXPECT_EQ(again(Overwrite::never).files_kept, 3U);
  EXPECT_EQ(content("other"), "xyzxyz");
  EXPECT_EQ(again(Overwrite::if_changed).files, 1U);
  EXPECT_EQ(steps_, (Names{"keep new", "replace other", "keep same"}));
  EXPECT_EQ(content("other"), "abc");
  EXPECT_EQ(again(Overwrite::always).files, 3U);
  RestoreRequest empty = request(root);
  empty.must_be_empty = true;
  EXPECT_EQ(repository::code_of(restore(empty)), Code::exists);
}

TEST_F(Restoring, a_dry_run_touches_nothing) {
  const BlobId root = tree({folder("d"), file("d/f", "1"), symlink("l", "x")});
  RestoreRequest wanted = request(root);
  wanted.dry_run = true;
  const RestoreResult result = restored(wanted);
  EXPECT_EQ(result.counts.files, 1U);
  EXPECT_EQ(steps_, (Names{"create d", "create d/f", "create l"}));
  EXPECT_FALSE(fs::exists(target_));
}

TEST_F(Restoring, damaged_and_missing_content_is_named_and_the_rest_restored) {
  std::vector<Entry> entries;
  std::vector<Extent> extents;
  for (int i = 0; i < 100; ++i) {
    extents.push_back(data(text(static_cast<size_t>(50 + i))));
    entries.push_back(file("f" + std::to_string(100 + i), {extents.back()}));
  }
  Entry linked = file("g", {extents[30]});
  linked.device = linked.inode = 5;
  entries.push_back(linked);
  linked.path = "h";
  entries.push_back(linked);
  const BlobId root = tree(entries);
  damage(extents[10].blob);
  remote_->blobs.erase(extents[30].blob);
  auto& blobs = remote_->blobs;
  blobs.at(extents[50].blob).stored = blobs.at(extents[51].blob).stored;
  const RestoreResult result = restored(request(root));
  EXPECT_EQ(problems(result), (Names{"f110", "f130", "f150", "g", "h"}));
  EXPECT_EQ(result.counts.files, 97U);
  EXPECT_EQ(names().size(), 97U) << "nothing half-done is left";
  EXPECT_EQ(content("f111"), std::string(as_text(text(61))));
}

TEST_F(Restoring, a_damaged_part_of_the_file_list_is_named_and_the_rest_restored) {
  std::vector<Entry> entries;
  for (int i = 0; i < 6000; ++i) entries.push_back(file("f" + std::to_string(10'000 + i), ""));
  const BlobId root = tree(entries);
  const repository::Node top = must(fetcher_->node(root));
  ASSERT_GT(top.children.size(), 3U);
  damage(top.children[2]);
  forget_keys();
  const RestoreResult result = restored(request(root));
  EXPECT_EQ(problems(result), Names{top.keys[2]});
  EXPECT_NE(result.problems[0].error.cause.find(top.keys[1]), std::string::npos);
  EXPECT_FALSE(fs::exists(target_ / top.keys[2]));
  EXPECT_TRUE(fs::exists(target_ / top.keys[1]));
  EXPECT_TRUE(fs::exists(target_ / "f15999"));
}

TEST_F(Restoring, nothing_is_written_outside_the_target_whatever_a_snapshot_says) {
  const fs::path outside = folder_ / "outside";
  fs::create_directory(outside);
  const BlobId root = tree({symlink("link", outside.string()), file("link/file", "evil"),
                            folder("link/folder"), symlink("up", ".."), file("up/evil", "evil"),
                            file("plain", "good"), file("plain/below", "evil"), folder("d"),
                            symlink("d/l", "/"), file("d/l/evil-cyberbackup", "evil")});
  const RestoreResult result = restored(request(root));
  EXPECT_EQ(problems(result),
            (Names{"d/l/evil-cyberbackup", "link/file", "link/folder", "plain/below", "up/evil"}));
  EXPECT_TRUE(fs::is_empty(outside));
  EXPECT_EQ(content("plain"), "good");
  EXPECT_FALSE(fs::exists("/evil-cyberbackup"));
  EXPECT_FALSE(fs::exists(folder_ / "evil"));
}

TEST_F(Restoring, links_that_stand_in_the_target_are_not_followed) {
  const fs::path outside = folder_ / "outside";
  fs::create_directory(outside);
  fs::create_directory(target_);
  fs::create_directory_symlink(outside, target_ / "d");
  fs::create_symlink(outside / "f", target_ / "f");
  const BlobId root = tree({folder("d"), file("d/x", "1"), file("f", "2")});
  for (const Overwrite policy : {Overwrite::never, Overwrite::if_changed, Overwrite::always}) {
    RestoreRequest wanted = request(root);
    wanted.overwrite = policy;
    restored(wanted);
    EXPECT_TRUE(fs::is_empty(outside));
  }
  EXPECT_EQ(content("d/x"), "1");
  EXPECT_FALSE(fs::is_symlink(target_ / "f"));
}

TEST_F(Restoring, impossible_contents_are_problems_of_their_files) {
  Entry too_long = file("a", "12345");
  too_long.extents[0].length = 100;
  too_long.size = 100;
  Entry huge = file("b", {hole(uint64_t{1} << 62)});
  Entry node_as_content = file("c", "12345");
  node_as_content.extents[0].blob = tree({folder("x")});
  const BlobId root = tree({too_long, huge, node_as_content, file("d", "good")});
  const RestoreResult result = restored(request(root));
  EXPECT_EQ(problems(result), (Names{"a", "b", "c"}));
  EXPECT_EQ(names(), Names{"d"});
}

TEST_F(Restoring, can_be_cancelled) {
  const BlobId root = large_tree(1000);
  on_step_ = [this](size_t count) {
    if (count == 500) restore_->cancel();
  };
  EXPECT_EQ(repository::code_of(restore(request(root))), Code::cancelled);
  EXPECT_LT(names().size(), 900U);
}

TEST_F(Restoring, a_target_that_cannot_be_written_is_told_before_anything_is_fetched) {
  const Extent content = data(text(500));
  const BlobId root = tree({file("a", {content})});
  fs::create_directory(target_);
  if (::mount("tmpfs", target_.c_str(), "tmpfs", MS_RDONLY, "size=1m") != 0)
    GTEST_SKIP() << "may not mount";
  forget_keys();
  EXPECT_EQ(repository::code_of(restore(request(root))), Code::io);
  RestoreRequest below = request(root);
  below.target = target_ / "below";
  EXPECT_EQ(repository::code_of(restore(below)), Code::io);
  const auto& asked = remote_->asked;
  EXPECT_EQ(std::find(asked.begin(), asked.end(), content.blob), asked.end());
}

TEST_F(Restoring, a_full_disk_is_one_error_and_leaves_nothing_half_done) {
  fs::create_directory(target_);
  if (::mount("tmpfs", target_.c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "may not mount";
  std::vector<Extent> pieces;
  for (uint32_t i = 0; i < 20; ++i) pieces.push_back(data(random_bytes(100'000, i)));
  const BlobId root = tree({file("a", "small"), file("b", pieces)});
  EXPECT_EQ(repository::code_of(restore(request(root))), Code::no_space);
  for (const std::string& name : names()) EXPECT_EQ(name, "a");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// The sanitizers keep freed memory for a while, so memory is measured without them.

// The most memory that this process had since the last call, in KiB; what is free is given back.
long peak() {
  std::ifstream status("/proc/self/status");
  std::string word;
  long kib = 0;
  while (status >> word)
    if (word == "VmHWM:") status >> kib;
  ::malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
  return kib;
}

TEST_F(Restoring, memory_grows_neither_with_many_files_nor_with_a_large_one) {
  std::vector<Extent> pieces;
  for (uint32_t i = 0; i < 1500; ++i) {
    pieces.push_back(data(random_bytes(1 << 16, i % 32)));
    pieces.push_back(hole(16 << 20));
  }
  std::vector<Entry> entries{file("large", pieces)};
  for (int i = 0; i < 200'000; ++i)
    entries.push_back(file("many/f" + std::to_string(1'000'000 + i), ""));
  const BlobId root = tree(std::move(entries));
  forget_keys();
  (void)peak();
  const long before = peak();
  EXPECT_EQ(restored(request(root, "large")).counts.files, 1U);
  const long large = peak() - before;
  EXPECT_LT(large, 48 * 1024);
  RestoreRequest wanted = request(root, "many");
  wanted.dry_run = true;
  on_step_ = [this](size_t) { steps_.clear(); };
  EXPECT_EQ(restored(wanted).counts.files, 200'000U);
  const long many = peak() - before;
  EXPECT_LT(many, 64 * 1024);
  RecordProperty("kib", static_cast<int>(std::max(large, many)));
}
#endif

TEST_F(Restoring, progress_reaches_the_total) {
  RestoreRequest wanted = request(large_tree(500));
  wanted.bytes_expected = 0;
  const RestoreResult result = restored(wanted);
  EXPECT_EQ(progress_.phase, "restore");
  EXPECT_EQ(progress_.done, result.counts.bytes);
}

}  // namespace
}  // namespace cb::client
