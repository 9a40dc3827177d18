// SPDX-License-Identifier: Apache-2.0
//
// The scanner on real trees, judged by a plain walk with lstat.
#include "core/client/scanner.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "core/client/scan_walk.h"

namespace cb::client {
namespace {

namespace fs = std::filesystem;
using repository::EntryKind;

struct Scanned {
  std::vector<ScanItem> items;
  std::map<std::string, Error> problems;
  ScanCounts counts;

  [[nodiscard]] std::vector<std::string> paths() const {
    std::vector<std::string> out;
    for (const ScanItem& item : items) out.push_back(item.entry.path);
    return out;
  }
  [[nodiscard]] const ScanItem* find(const std::string& path) const {
    for (const ScanItem& item : items)
      if (item.entry.path == path) return &item;
    return nullptr;
  }
};

class ScannerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::canonical(fs::temp_directory_path()) / "cb-scan-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    base_ = path_.string().substr(1);
  }
  void TearDown() override {
    ASSERT_EQ(std::system(("rm -rf '" + path_.string() + "'").c_str()), 0);
  }

  void write(const fs::path& path, const std::string& content = "x") {
    fs::create_directories((path_ / path).parent_path());
    std::ofstream(path_ / path) << content;
  }

  Scanned scan(ScanRequest request) {
    Scanned out;
    const auto problem = [&](const std::string& path, Error error) {
      out.problems.emplace(path, std::move(error));
    };
    const auto scanner = Scanner::open({&os::real_tree(), &names_, problem}, request).value();
    while (auto item = scanner->next().value()) out.items.push_back(std::move(*item));
    out.counts = scanner->counts();
    return out;
  }
  Scanned scan(const std::vector<std::string>& paths) {
    ScanRequest request;
    request.paths = paths;
    return scan(request);
  }

  // The folders from the top down to one, as a snapshot has them.
  static std::vector<std::string> above(const std::string& path) {
    std::vector<std::string> out;
    for (size_t slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1))
      out.push_back(path.substr(0, slash));
    return out;
  }

  // What a plain walk finds at and below a path, and the folders above.
  static std::vector<std::string> judged(const std::string& path) {
    std::vector<std::string> out = above(path);
    out.push_back(path);
    if (fs::is_directory(fs::symlink_status("/" + path)))
      for (const auto& entry : fs::recursive_directory_iterator("/" + path))
        out.push_back(entry.path().string().substr(1));
    std::sort(out.begin(), out.end(), [](const std::string& a, const std::string& b) {
      return repository::compare_paths(a, b) < 0;
    });
    return out;
  }

  void grow(std::mt19937& random, const fs::path& folder, int depth) {
    const size_t count = random() % (depth > 3 ? 3 : 9);
    for (size_t i = 0; i < count; ++i) {
      std::string name(1 + random() % 12, ' ');
      for (char& c : name) c = "ab.-/\n\xff!0"[random() % 4 + (random() % 2) * 5];
      std::replace(name.begin(), name.end(), '/', '_');
      if (name == "." || name == "..") continue;
      if (fs::exists(path_ / folder / name)) continue;
      if (random() % 3 == 0) {
        fs::create_directories(path_ / folder / name);
        grow(random, folder / name, depth + 1);
      } else {
        write(folder / name, std::string(random() % 100, 'c'));
      }
    }
  }

  fs::path path_;
  std::string base_;  // the same as a snapshot has it
  os::AccountNames names_;
};

TEST_F(ScannerTest, items_come_in_snapshot_order_with_the_folders_above) {
  write("b/x");
  write("b-a");
  write("b/y/z");
  write("a");
  fs::create_directories(path_ / "c");
  const Scanned out = scan({path_.string()});
  EXPECT_EQ(out.paths(), judged(base_));
  EXPECT_EQ(out.items.front().entry.kind, EntryKind::folder);
  EXPECT_EQ(out.counts.files, 4U);
  EXPECT_EQ(out.counts.bytes, 4U);
  EXPECT_EQ(out.counts.folders, above(base_).size() + 4);
  EXPECT_TRUE(out.problems.empty());
}

TEST_F(ScannerTest, random_trees_are_walked_like_a_plain_walk_whatever_is_held_ahead) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (int round = 0; round < 12; ++round) {
    const std::string top = "t" + std::to_string(round);
    fs::create_directories(path_ / top);
    for (int i = 0; i < 4; ++i) grow(random, top, 0);
    const std::vector<std::string> expected = judged(base_ + "/" + top);
    for (const size_t ahead : {size_t{1}, size_t{5}, size_t{8192}}) {
      ScanRequest request;
      request.threads = 1 + static_cast<unsigned>(random() % 6);
      ScanWalk::Options options;
      options.items_ahead = ahead;
      options.batch = 1 + random() % 7;
      options.name_bytes = ahead * 16;
      ScanWalk walk({&os::real_tree(), &names_, {}}, request, {base_ + "/" + top},
                    os::real_tree().open("/").value(), options);
      std::vector<std::string> paths;
      while (const auto item = walk.next().value()) paths.push_back(item->entry.path);
      ASSERT_EQ(paths, expected);
    }
  }
}

TEST_F(ScannerTest, every_kind_has_its_metadata) {
  write("file", "12345");
  fs::permissions(path_ / "file", fs::perms(04751));
  fs::create_symlink("nowhere/\xff", path_ / "link");
  ASSERT_EQ(::mkfifo((path_ / "fifo").c_str(), 0622), 0);
  ASSERT_EQ(::mknod((path_ / "socket").c_str(), S_IFSOCK | 0600, 0), 0);
  fs::create_hard_link(path_ / "file", path_ / "second");
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::mknod((path_ / "char").c_str(), S_IFCHR | 0600, (1 << 8) | 3), 0);
    ASSERT_EQ(::mknod((path_ / "block").c_str(), S_IFBLK | 0600, (7 << 8) | 9), 0);
    ASSERT_EQ(::lchown((path_ / "link").c_str(), 1, 3'000'000'000U), 0);
  }
  const Scanned out = scan({path_.string()});
  const auto entry = [&](const char* name) { return out.find(base_ + "/" + name)->entry; };
  EXPECT_EQ(entry("file").kind, EntryKind::file);
  EXPECT_EQ(entry("file").mode, 04751U);
  EXPECT_EQ(entry("file").size, 5U);
  EXPECT_EQ(entry("file").user, names_.user(::geteuid()));
  EXPECT_NE(entry("file").inode, 0U);
  EXPECT_EQ(entry("file").inode, entry("second").inode);
  EXPECT_EQ(entry("file").device, entry("second").device);
  EXPECT_EQ(entry("link").kind, EntryKind::symlink);
  EXPECT_EQ(entry("link").target, "nowhere/\xff");
  EXPECT_EQ(entry("link").size, 0U);
  EXPECT_EQ(entry("link").inode, 0U);
  EXPECT_EQ(entry("fifo").kind, EntryKind::fifo);
  EXPECT_EQ(entry("socket").kind, EntryKind::socket);
  EXPECT_EQ(out.counts.files, 2U);
  EXPECT_EQ(out.counts.others, root ? 5U : 3U);
  if (!root) return;
  EXPECT_EQ(entry("char").kind, EntryKind::character_device);
  EXPECT_EQ(entry("char").major, 1U);
  EXPECT_EQ(entry("block").kind, EntryKind::block_device);
  EXPECT_EQ(entry("block").minor, 9U);
  EXPECT_EQ(entry("link").uid, 1U);
  EXPECT_EQ(entry("link").user, "daemon");
  EXPECT_EQ(entry("link").gid, 3'000'000'000U);
  EXPECT_EQ(entry("link").group, "");
}

TEST_F(ScannerTest, extended_attributes_acls_and_flags_are_read) {
  write("d/file");
  write("d/plain");
  const std::string command = "cd " + path_.string() +
                              " && setfattr -n user.b -v 2 d/file && setfattr -n user.a d/file"
                              " && setfacl -m u:1:r d/file && setfacl -d -m u:1:rw d"
                              " && chattr +di d/file && chattr +A d";
  if (std::system((command + " 2> /dev/null").c_str()) != 0) GTEST_SKIP() << "not allowed here";
  const Scanned out = scan({path_.string()});
  ASSERT_EQ(std::system(("chattr -i " + (path_ / "d/file").string()).c_str()), 0);
  const auto& file = out.find(base_ + "/d/file")->entry;
  ASSERT_EQ(file.xattrs.size(), 3U);
  EXPECT_EQ(file.xattrs[0].name, "system.posix_acl_access");
  EXPECT_EQ(file.xattrs[1], (repository::Xattr{"user.a", ""}));
  EXPECT_EQ(file.xattrs[2], (repository::Xattr{"user.b", "2"}));
  EXPECT_EQ(file.attributes, 0x50U);  // immutable, no dump
  const auto& folder = out.find(base_ + "/d")->entry;
  ASSERT_EQ(folder.xattrs.size(), 1U);
  EXPECT_EQ(folder.xattrs[0].name, "system.posix_acl_default");
  EXPECT_EQ(folder.attributes, 0x80U);
  EXPECT_TRUE(out.find(base_ + "/d/plain")->entry.xattrs.empty());
  EXPECT_EQ(out.find(base_ + "/d/plain")->entry.attributes, 0U);
}

TEST_F(ScannerTest, an_item_opens_its_file_and_tells_when_it_is_another_one) {
  write("d/file", "content");
  const Scanned out = scan({path_.string()});
  const ScanItem& item = *out.find(base_ + "/d/file");
  const auto file = item.open().value();
  Bytes content(20);
  EXPECT_EQ(file->read_at(content, 0).value(), 7U);
  EXPECT_EQ(source_stat(file->stat().value()), item.stat);
  fs::remove(path_ / "d/file");
  write("d/file", "another");
  EXPECT_NE(source_stat(item.open().value()->stat().value()), item.stat);
  // A folder on the way that has become a symbolic link leads nowhere.
  fs::rename(path_ / "d", path_ / "e");
  fs::create_symlink("e", path_ / "d");
  const Scanned anew = scan({path_.string()});
  ASSERT_TRUE(anew.find(base_ + "/e/file"));
  ScanItem moved = *anew.find(base_ + "/e/file");
  moved.folder = std::make_shared<const std::string>(base_ + "/d");
  EXPECT_FALSE(moved.open());
  EXPECT_FALSE(anew.find(base_ + "/d")->open());
}

TEST_F(ScannerTest, sources_may_be_files_links_nested_repeated_and_written_in_odd_ways) {
  write("a/b/c/f");
  write("a/g");
  write("h");
  write("other");
  fs::create_symlink("a", path_ / "link");
  const std::string top = path_.string();
  const auto sources = [&](const std::vector<std::string>& paths) {
    std::vector<std::string> out = snapshot_sources(os::real_tree(), paths, {}).value();
    for (std::string& path : out) path = path.substr(std::min(path.size(), base_.size()));
    return out;
  };
  using List = std::vector<std::string>;
  EXPECT_EQ(sources({top + "/h", top + "/h", top + "//h"}), List{"/h"});
  EXPECT_EQ(sources({top + "/a/b/../g"}), List{"/a/g"});
  EXPECT_EQ(sources({top + "/a/b/.."}), List{"/a"});
  EXPECT_EQ(sources({top + "/a/."}), List{"/a"});
  EXPECT_EQ(sources({top + "/a///"}), List{"/a"});
  EXPECT_EQ(sources({top + "/link"}), List{"/link"});
  EXPECT_EQ(sources({top + "/link/"}), List{"/a"});
  EXPECT_EQ(sources({top + "/link/b"}), List{"/a/b"});
  EXPECT_EQ(sources({"/", top}), (List{"", ""}));
  EXPECT_EQ(snapshot_sources(os::real_tree(), {"//"}, {}).value(), List{""});
  EXPECT_EQ(snapshot_sources(os::real_tree(), {"a"}, {}).error().code, Code::invalid);

  const Scanned out = scan({top + "/h", top + "/a/b", top + "/a", top + "/link", top + "/none"});
  std::vector<std::string> expected = judged(base_ + "/a");
  expected.push_back(base_ + "/h");
  expected.push_back(base_ + "/link");
  EXPECT_EQ(out.paths(), expected);
  EXPECT_EQ(out.find(base_ + "/link")->entry.kind, EntryKind::symlink);
  ASSERT_EQ(out.problems.size(), 1U);
  EXPECT_EQ(out.problems.begin()->first, base_ + "/none");
  EXPECT_EQ(out.problems.begin()->second.code, Code::not_found);
}

TEST_F(ScannerTest, without_any_source_there_is_no_scan) {
  ScanRequest request;
  request.paths = {path_.string() + "/none"};
  int told = 0;
  const auto scanner = Scanner::open(
      {&os::real_tree(), &names_, [&](const std::string&, Error) { ++told; }}, request);
  ASSERT_FALSE(scanner);
  EXPECT_EQ(scanner.error().code, Code::io);
  EXPECT_EQ(told, 1);
}

TEST_F(ScannerTest, excluded_names_are_left_out_but_sources_are_not) {
  write("keep.c");
  write("drop.o");
  write("build/deep/x");
  write("build/source/y");
  write("build/source/z.o");
  const auto excludes = Excludes::compile({"*.o", "build"}).value();
  ScanRequest request;
  request.paths = {path_.string(), path_.string() + "/build/source"};
  request.excludes = &excludes;
  const Scanned out = scan(request);
  std::vector<std::string> expected = above(base_ + "/build");
  for (const char* path : {"build", "build/source", "build/source/y", "keep.c"})
    expected.push_back(base_ + "/" + path);
  EXPECT_EQ(out.paths(), expected);
  EXPECT_EQ(out.counts.excluded, 2U);
}

TEST_F(ScannerTest, of_a_cache_folder_only_its_tag_is_taken_when_asked) {
  const std::string tag = "Signature: 8a477f597d28d172789f06886806bc55\n# more";
  write("cache/CACHEDIR.TAG", tag);
  write("cache/a/b");
  write("fake/CACHEDIR.TAG", "Signature: none");
  write("fake/c");
  ScanRequest request;
  request.paths = {path_.string()};
  EXPECT_TRUE(scan(request).find(base_ + "/cache/a/b"));
  request.exclude_caches = true;
  const Scanned out = scan(request);
  EXPECT_TRUE(out.find(base_ + "/cache/CACHEDIR.TAG"));
  EXPECT_FALSE(out.find(base_ + "/cache/a"));
  EXPECT_TRUE(out.find(base_ + "/fake/c"));
  request.paths = {path_.string() + "/cache"};  // chosen by name
  EXPECT_TRUE(scan(request).find(base_ + "/cache/a/b"));
}

TEST_F(ScannerTest, one_file_system_takes_a_mount_point_but_not_what_is_mounted) {
  struct stat dev {};
  struct stat shm {};
  ASSERT_EQ(::stat("/dev", &dev), 0);
  if (::stat("/dev/shm", &shm) != 0 || dev.st_dev == shm.st_dev) GTEST_SKIP() << "no mount here";
  const std::string mounted = "/dev/shm/cb-scan-" + std::to_string(::getpid());
  std::ofstream(mounted) << "x";
  ScanRequest request;
  request.paths = {"/dev"};
  request.one_file_system = true;
  const Scanned apart = scan(request);
  request.paths = {"/dev", "/dev/shm"};
  const Scanned named = scan(request);
  fs::remove(mounted);
  EXPECT_TRUE(apart.find("dev/shm"));
  EXPECT_FALSE(apart.find(mounted.substr(1)));
  EXPECT_TRUE(named.find(mounted.substr(1)));
}

TEST_F(ScannerTest, the_whole_system_is_a_source_and_a_scan_can_be_left_early) {
  ScanRequest request;
  request.paths = {"/"};
  const auto scanner = Scanner::open({&os::real_tree(), &names_, {}}, request).value();
  EXPECT_EQ(scanner->sources(), std::vector<std::string>{""});
  std::string last;
  for (int i = 0; i < 50; ++i) {
    const auto item = scanner->next().value();
    ASSERT_TRUE(item);
    EXPECT_LT(last.empty() ? -1 : repository::compare_paths(last, item->entry.path), 0);
    last = item->entry.path;
  }
  scanner->cancel();
  EXPECT_EQ(scanner->next().error().code, Code::cancelled);
}

TEST_F(ScannerTest, the_scan_beside_counts_what_the_scan_finds) {
  std::mt19937 random(5);
  for (int i = 0; i < 10; ++i) grow(random, ".", 0);
  fs::create_symlink("x", path_ / "link");
  ScanRequest request;
  request.paths = {path_.string(), path_.string() + "/none"};
  const Scanned out = scan(request);
  const PreScan beside(os::real_tree(), request);
  while (!beside.done()) std::this_thread::yield();
  EXPECT_EQ(beside.counts().files, out.counts.files);
  EXPECT_EQ(beside.counts().folders, out.counts.folders);
  EXPECT_EQ(beside.counts().others, out.counts.others);
  EXPECT_EQ(beside.counts().bytes, out.counts.bytes);
  EXPECT_GT(out.counts.files, 5U);
}

TEST_F(ScannerTest, folders_inside_each_other_by_the_thousand_are_walked_and_let_go) {
  const int depth = 2100;  // far past the longest path that the system takes
  int fd = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < depth; ++i) {
    ASSERT_EQ(::mkdirat(fd, "d", 0700), 0);
    const int inner = ::openat(fd, "d", O_RDONLY | O_DIRECTORY);
    ::close(fd);
    fd = inner;
  }
  ::close(fd);
  EXPECT_EQ(scan({path_.string()}).counts.folders, above(base_).size() + 1 + depth);
  ScanRequest request;
  request.paths = {path_.string()};
  request.threads = 4;
  const auto left = Scanner::open({&os::real_tree(), &names_, {}}, request).value();
  EXPECT_TRUE(left->next().value());
}

}  // namespace
}  // namespace cb::client
