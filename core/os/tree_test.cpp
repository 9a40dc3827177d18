// SPDX-License-Identifier: Apache-2.0
#include "core/os/tree.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "core/os/account_names.h"
#include "core/os/folder_cache.h"

namespace cb::os {
namespace {

namespace fs = std::filesystem;

class TreeTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "cb-tree-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    folder_ = real_tree().open(path_).value();
  }
  void TearDown() override { fs::remove_all(path_); }

  fs::path path_;
  std::shared_ptr<Folder> folder_;
};

TEST_F(TreeTest, a_stat_tells_kind_owner_times_and_names) {
  std::ofstream(path_ / "f") << "12345";
  fs::create_hard_link(path_ / "f", path_ / "g");
  const auto file = folder_->open_file("f").value();
  ASSERT_TRUE(file->set_mode(0640));
  ASSERT_TRUE(file->set_mtime(-1'500'000'000));  // before 1970
  const NodeStat stat = folder_->stat_name("f").value();
  EXPECT_TRUE(stat.is_regular());
  EXPECT_EQ(stat.mode & 07777, 0640U);
  EXPECT_EQ(stat.size, 5U);
  EXPECT_EQ(stat.links, 2U);
  EXPECT_EQ(stat.uid, ::geteuid());
  EXPECT_EQ(stat.mtime_ns, -1'500'000'000);
  struct stat judge {};
  ASSERT_EQ(::lstat((path_ / "f").c_str(), &judge), 0);
  EXPECT_EQ(stat.device, judge.st_dev);
  EXPECT_EQ(stat.inode, judge.st_ino);
  EXPECT_EQ(stat.ctime_ns, judge.st_ctim.tv_sec * 1'000'000'000 + judge.st_ctim.tv_nsec);
  EXPECT_EQ(folder_->stat_name("none").error().code, Code::not_found);
}

TEST_F(TreeTest, nothing_follows_a_symbolic_link) {
  fs::create_directory(path_ / "d");
  std::ofstream(path_ / "f") << "x";
  fs::create_symlink("d", path_ / "to_d");
  fs::create_symlink("f", path_ / "to_f");
  EXPECT_TRUE(folder_->stat_name("to_d")->is_symlink());
  EXPECT_FALSE(folder_->open_folder("to_d"));
  EXPECT_FALSE(folder_->open_file("to_f"));
  EXPECT_FALSE(folder_->reopen_file("to_f"));
  EXPECT_EQ(folder_->create_file("to_f", 0600).error().code, Code::exists);
  EXPECT_EQ(folder_->read_link("to_f").value(), "f");
  const auto link = folder_->open_node("to_f").value();
  ASSERT_TRUE(link->set_mtime(77));
  EXPECT_EQ(folder_->stat_name("to_f")->mtime_ns, 77);
  EXPECT_NE(folder_->stat_name("f")->mtime_ns, 77);
  FolderCache cache(folder_);
  EXPECT_TRUE(cache.open("d"));
  EXPECT_FALSE(cache.open("to_d"));
}

TEST_F(TreeTest, names_come_with_their_kind_whatever_bytes_they_have) {
  const std::set<std::string> names = {"a\nb", std::string(255, 'x'), "\xff\xfe", "-rf", " "};
  for (const std::string& name : names) ASSERT_TRUE(folder_->create_file(name, 0600));
  ASSERT_TRUE(folder_->make_folder("d", 0700));
  for (int round = 0; round < 2; ++round) {  // a listing begins anew each time
    std::set<std::string> seen;
    ASSERT_TRUE(folder_->each_name([&](std::string_view name, NameKind kind) {
      EXPECT_TRUE(kind == NameKind::unknown || (kind == NameKind::folder) == (name == "d"));
      if (name != "d") seen.emplace(name);
    }));
    EXPECT_EQ(seen, names);
  }
}

TEST_F(TreeTest, holes_are_found_and_the_end_is_nothing) {
  const auto file = folder_->create_file("sparse", 0600).value();
  ASSERT_TRUE(file->set_size(10 << 20));
  ASSERT_TRUE(file->write_at(as_bytes("data"), 4 << 20));
  const auto data = file->next_data(0).value();
  ASSERT_TRUE(data);
  EXPECT_EQ(data->begin, 4U << 20);
  EXPECT_GE(data->end, (4U << 20) + 4);
  EXPECT_LT(data->end, 5U << 20);
  EXPECT_FALSE(file->next_data(data->end).value());
  EXPECT_FALSE(file->next_data(11 << 20).value());
}

TEST_F(TreeTest, extended_attributes_of_any_size_come_back) {
  const auto file = folder_->create_file("f", 0600).value();
  const std::string large(3000, 'v');
  if (!file->set_xattr("user.large", large)) GTEST_SKIP() << "no extended attributes here";
  ASSERT_TRUE(file->set_xattr("user.empty", ""));
  EXPECT_EQ(file->xattr_names().value(), (std::vector<std::string>{"user.empty", "user.large"}));
  const auto again = folder_->open_node("f").value();
  EXPECT_EQ(again->xattr("user.large").value(), large);
  EXPECT_EQ(again->xattr("user.empty").value(), "");
  EXPECT_FALSE(again->xattr("user.none").value());
  ASSERT_TRUE(again->remove_xattr("user.large"));
  ASSERT_TRUE(again->remove_xattr("user.large"));
  EXPECT_EQ(file->xattr_names()->size(), 1U);
}

TEST_F(TreeTest, special_files_links_and_renames_are_made_in_the_folder) {
  ASSERT_TRUE(folder_->make_special("fifo", S_IFIFO | 0600, 0, 0));
  EXPECT_TRUE(S_ISFIFO(folder_->stat_name("fifo")->mode));
  if (::geteuid() == 0) {
    ASSERT_TRUE(folder_->make_special("null", S_IFCHR | 0600, 1, 3));
    EXPECT_EQ(folder_->stat_name("null")->minor, 3U);
  }
  ASSERT_TRUE(folder_->create_file("f", 0600));
  ASSERT_TRUE(folder_->make_folder("d", 0700));
  const auto inner = folder_->open_folder("d").value();
  ASSERT_TRUE(inner->make_link(*folder_, "f", "second"));
  EXPECT_EQ(folder_->stat_name("f")->inode, inner->stat_name("second")->inode);
  ASSERT_TRUE(inner->rename("second", "third"));
  EXPECT_EQ(folder_->remove_folder("d").error().code, Code::exists);
  ASSERT_TRUE(inner->remove("third"));
  EXPECT_TRUE(inner->sync());
  ASSERT_TRUE(folder_->remove_folder("d"));
}

TEST_F(TreeTest, few_folders_stay_open_and_others_are_opened_again) {
  for (int i = 0; i < 10; ++i) fs::create_directories(path_ / "a" / std::to_string(i) / "b");
  FolderCache cache(folder_, 3);
  const auto open_now = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  const auto before = open_now();
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < 10; ++i) {
      const auto opened = cache.open("a/" + std::to_string(i) + "/b");
      ASSERT_TRUE(opened);
      EXPECT_TRUE((*opened)->stat_name(".").value().is_folder());
    }
  EXPECT_EQ(open_now(), before + 3);
  cache.forget("a");
  EXPECT_EQ(open_now(), before);
  EXPECT_EQ(cache.open("a/none").error().code, Code::not_found);
}

TEST(AccountNames, names_and_numbers_find_each_other) {
  AccountNames names;
  EXPECT_EQ(names.user(0), "root");
  EXPECT_EQ(names.uid("root"), 0U);
  EXPECT_EQ(names.gid(names.group(0)), 0U);
  EXPECT_EQ(names.user(3'999'999'999U), "");
  EXPECT_FALSE(names.uid("nobody has this name"));
  EXPECT_FALSE(names.uid(""));
}

}  // namespace
}  // namespace cb::os
