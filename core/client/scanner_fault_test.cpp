// SPDX-License-Identifier: Apache-2.0
//
// The scanner on trees that cannot be read, that vanish, and that fail at any call.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "core/client/scanner.h"
#include "core/os/failing_tree_test.h"

namespace cb::client {
namespace {

namespace fs = std::filesystem;

class ScannerFaultTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::canonical(fs::temp_directory_path()) / "cb-faults-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    base_ = path_.string().substr(1);
    for (const char* file : {"a/x", "a/y", "b/c/z", "b/w", "v"}) {
      fs::create_directories((path_ / file).parent_path());
      std::ofstream(path_ / file) << file;
    }
    fs::create_symlink("v", path_ / "link");
  }
  void TearDown() override { fs::remove_all(path_); }

  void scan(os::Fault fault) {
    os::FailingTree tree(std::move(fault));
    paths_.clear();
    problems_.clear();
    const auto problem = [&](const std::string& path, Error error) {
      problems_.emplace(path, error.code);
    };
    ScanRequest request;
    request.paths = {path_.string()};
    request.threads = 2;
    const auto scanner = Scanner::open({&tree, &names_, problem}, request);
    opened_ = scanner.has_value();
    if (!opened_) return;
    while (const auto item = (*scanner)->next().value())
      paths_.emplace(item->entry.path, item->entry.flags);
    counts_ = (*scanner)->counts();
  }

  // Fails calls of one kind about one path below the source.
  void scan(const std::string& call, const std::string& path, int problem) {
    const std::string whole = (path_ / path).string();
    scan([=](const std::string& made, const std::string& about) {
      return made == call && about == whole ? problem : 0;
    });
  }
  [[nodiscard]] bool has(const std::string& path) const {
    return paths_.contains(base_ + "/" + path);
  }

  fs::path path_;
  std::string base_;
  os::AccountNames names_;
  bool opened_ = false;
  std::map<std::string, uint64_t> paths_;  // and flags
  std::map<std::string, Code> problems_;
  ScanCounts counts_;
};

TEST_F(ScannerFaultTest, a_folder_that_cannot_be_read_is_told_marked_and_passed) {
  scan("each_name", "a", EACCES);
  EXPECT_TRUE(has("a"));
  EXPECT_FALSE(has("a/x"));
  EXPECT_TRUE(has("b/c/z"));
  EXPECT_EQ(paths_[base_ + "/a"], repository::kEntryUnreadable);
  EXPECT_EQ(problems_, (std::map<std::string, Code>{{base_ + "/a", Code::denied}}));
  EXPECT_EQ(counts_.problems, 1U);
}

TEST_F(ScannerFaultTest, what_vanishes_between_listing_and_look_is_counted_and_not_told) {
  scan("stat_name", "a/x", ENOENT);
  EXPECT_FALSE(has("a/x"));
  EXPECT_TRUE(has("a/y"));
  EXPECT_EQ(counts_.vanished, 1U);
  scan("each_name", "a", ENOENT);
  EXPECT_TRUE(has("a"));
  EXPECT_EQ(counts_.vanished, 1U);
  scan("open_folder", "b", ENOENT);
  EXPECT_FALSE(has("b"));
  EXPECT_EQ(counts_.vanished, 1U);
  scan("read_link", "link", ENOENT);
  EXPECT_EQ(counts_.vanished, 1U);
  EXPECT_TRUE(problems_.empty());
}

TEST_F(ScannerFaultTest, what_cannot_be_looked_at_is_told_and_the_rest_goes_on) {
  scan("stat_name", "a/x", EIO);
  EXPECT_FALSE(has("a/x"));
  EXPECT_TRUE(has("v"));
  EXPECT_EQ(problems_, (std::map<std::string, Code>{{base_ + "/a/x", Code::io}}));
  scan("open_folder", "b", EIO);
  EXPECT_EQ(problems_, (std::map<std::string, Code>{{base_ + "/b", Code::io}}));
  scan("xattr_names", "v", EIO);
  EXPECT_TRUE(has("v"));
  EXPECT_EQ(problems_, (std::map<std::string, Code>{{base_ + "/v", Code::io}}));
}

TEST_F(ScannerFaultTest, a_file_that_may_not_be_opened_is_an_item_all_the_same) {
  scan("open_file", "v", EACCES);
  EXPECT_TRUE(has("v"));
  EXPECT_TRUE(problems_.empty());  // reading its content will tell
}

TEST_F(ScannerFaultTest, whichever_call_fails_the_scan_ends_and_nothing_is_missing_in_silence) {
  std::atomic<int> calls = 0;
  scan([&](const std::string&, const std::string&) { return ++calls, 0; });
  const std::map<std::string, uint64_t> whole = paths_;
  const int total = calls;
  ASSERT_GT(total, 40);
  for (int n = 1; n <= total; ++n) {
    std::atomic<int> left = n;
    scan([&](const std::string&, const std::string&) { return --left == 0 ? EIO : 0; });
    if (!opened_) continue;
    // Every path is there, told, or below one that was told.
    for (const auto& [path, flags] : whole) {
      bool told = false;
      for (const auto& [problem, code] : problems_)
        told = told || path == problem || path.starts_with(problem + "/") || problem.empty();
      EXPECT_TRUE(paths_.contains(path) || told) << path << " at call " << n;
    }
  }
}

}  // namespace
}  // namespace cb::client
