// SPDX-License-Identifier: Apache-2.0
#include "core/os/file_system.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace cb::os {
namespace {

class FileSystemTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = Path(testing::TempDir()) / ("files-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    ASSERT_TRUE(files_.make_folders(folder_));
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  FileSystem& files_ = real_file_system();
  Path folder_;
};

TEST_F(FileSystemTest, an_atomic_write_replaces_the_old_content_and_leaves_no_temporary_file) {
  ASSERT_TRUE(write_file_atomically(files_, folder_ / "a", as_bytes("old")));
  ASSERT_TRUE(write_file_atomically(files_, folder_ / "a", as_bytes("new"), 0640));
  EXPECT_EQ(as_text(read_file(files_, folder_ / "a", 100).value()), "new");
  EXPECT_EQ(files_.list(folder_).value(), std::vector<std::string>{"a"});
  EXPECT_EQ(files_.info(folder_ / "a")->mode & 0777, 0640U);
}

TEST_F(FileSystemTest, a_file_past_the_limit_is_refused_and_one_at_the_limit_is_read) {
  ASSERT_TRUE(write_file_atomically(files_, folder_ / "a", as_bytes("12345")));
  EXPECT_EQ(read_file(files_, folder_ / "a", 5)->size(), 5U);
  EXPECT_EQ(read_file(files_, folder_ / "a", 4).error().code, Code::limit);
  EXPECT_EQ(read_file(files_, folder_, 4).error().code, Code::invalid);
}

TEST_F(FileSystemTest, errors_name_the_file_and_the_reason) {
  const Error error = files_.open(folder_ / "missing", Open::read).error();
  EXPECT_EQ(error.code, Code::not_found);
  EXPECT_NE(error.text().find("missing"), std::string::npos);
  EXPECT_EQ(write_file_atomically(files_, folder_ / "no" / "a", as_bytes("x")).error().code,
            Code::not_found);
}

TEST_F(FileSystemTest, an_unnamed_file_leaves_no_name) {
  const auto file = files_.open_unnamed(folder_).value();
  ASSERT_TRUE(file->write(as_bytes("spooled")));
  Bytes back(7);
  EXPECT_EQ(file->read_at(back, 0).value(), 7U);
  EXPECT_EQ(as_text(back), "spooled");
  EXPECT_TRUE(files_.list(folder_)->empty());
}

TEST_F(FileSystemTest, folders_are_made_with_their_parents_and_may_be_there_already) {
  ASSERT_TRUE(files_.make_folders(folder_ / "x" / "y"));
  ASSERT_TRUE(files_.make_folders(folder_ / "x" / "y"));
  ASSERT_TRUE(write_file_atomically(files_, folder_ / "f", as_bytes("x")));
  EXPECT_FALSE(files_.make_folders(folder_ / "f"));
}

}  // namespace
}  // namespace cb::os
