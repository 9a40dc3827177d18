// SPDX-License-Identifier: Apache-2.0
#include "core/client/name_list.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <set>

namespace cb::client {
namespace {

namespace fs = std::filesystem;

TEST(NameList, a_folder_is_read_in_order_piece_by_piece_within_a_limit) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::string where = (fs::temp_directory_path() / "cb-names-XXXXXX").string();
  const fs::path path = ::mkdtemp(where.data());
  const auto folder = os::real_tree().open(path).value();
  std::set<std::string> names;
  for (int i = 0; i < 400; ++i) {
    std::string name(1 + random() % 255, ' ');
    for (char& c : name) c = "abc\n\xff\x80- ."[random() % 9];
    if (name == "." || name == "..") continue;
    if (!names.insert(name).second) continue;
    ASSERT_TRUE(folder->make_folder(name, 0700));
  }
  for (const size_t limit : {size_t{1}, size_t{2000}, size_t{20000}, size_t{1} << 20}) {
    std::vector<std::string> read;
    int rounds = 0;
    for (bool more = true; more && rounds < 2000; ++rounds) {
      const NameList list = NameList::read(*folder, read.empty() ? "" : read.back(), limit).value();
      ASSERT_GT(list.size(), 0U);
      EXPECT_LE(list.bytes(), 2 * limit + 2000);
      for (size_t i = 0; i < list.size(); ++i) {
        read.emplace_back(list.name(i));
        EXPECT_NE(list.kind(i), os::NameKind::other);
      }
      more = list.cut();
    }
    EXPECT_EQ(read, std::vector<std::string>(names.begin(), names.end())) << limit;
    EXPECT_EQ(rounds > 1, limit < 100000);
    if (limit == 1) continue;
    EXPECT_LT(rounds, 1000);
  }
  fs::remove_all(path);
}

TEST(NameList, an_empty_folder_has_no_names) {
  std::string where = (fs::temp_directory_path() / "cb-names-XXXXXX").string();
  const fs::path path = ::mkdtemp(where.data());
  const auto list = NameList::read(*os::real_tree().open(path).value(), "", 100).value();
  EXPECT_EQ(list.size(), 0U);
  EXPECT_FALSE(list.cut());
  fs::remove_all(path);
}

}  // namespace
}  // namespace cb::client
