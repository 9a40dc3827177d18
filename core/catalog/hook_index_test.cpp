// SPDX-License-Identifier: Apache-2.0
#include "core/catalog/hook_index.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <vector>

namespace cb::catalog {
namespace {

namespace fs = std::filesystem;

class HookIndexTest : public testing::Test {
 protected:
  HookIndexTest() {
    std::string name = (fs::temp_directory_path() / "cb-hooks-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~HookIndexTest() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string file() const { return (folder_ / "hooks").string(); }
  std::unique_ptr<HookIndex> open() {
    auto index = HookIndex::open(file());
    EXPECT_TRUE(index) << index.error().text();
    return std::move(*index);
  }

  static HookIndex::Key key(uint8_t n) {
    HookIndex::Key key{};
    key.fill(static_cast<std::byte>(n));
    return key;
  }
  static void add(HookIndex& index, uint8_t n, std::vector<uint64_t> hooks,
                  HookIndex::Age age = HookIndex::Age::newest) {
    ASSERT_TRUE(index.add(key(n), Bytes(100, static_cast<std::byte>(n)), hooks, age));
  }
  // The first byte of the key that the hook leads to; 0: to none.
  static int at(HookIndex& index, uint64_t hook) {
    const auto number = index.find(hook);
    EXPECT_TRUE(number);
    if (!number || !*number) return 0;
    const auto record = index.record(**number);
    EXPECT_TRUE(record);
    if (!record || !*record) return 0;
    EXPECT_EQ((*record)->bytes, Bytes(100, (*record)->key[0]));
    return std::to_integer<int>((*record)->key[0]);
  }

  fs::path folder_;
};

TEST_F(HookIndexTest, a_hook_leads_to_the_newest_record_with_it) {
  const auto index = open();
  EXPECT_TRUE(*index->is_empty());
  add(*index, 1, {10, 11, UINT64_MAX});
  add(*index, 2, {11, 12});
  add(*index, 3, {12, 13}, HookIndex::Age::older);
  EXPECT_FALSE(*index->is_empty());
  EXPECT_EQ(at(*index, 10), 1);
  EXPECT_EQ(at(*index, UINT64_MAX), 1);
  EXPECT_EQ(at(*index, 11), 2);
  EXPECT_EQ(at(*index, 12), 2);
  EXPECT_EQ(at(*index, 13), 3);
  EXPECT_EQ(at(*index, 14), 0);
}

TEST_F(HookIndexTest, one_that_was_not_settled_tells_so_and_has_what_it_had) {
  {
    const auto index = open();
    EXPECT_TRUE(index->was_settled());
    add(*index, 1, {1});
  }
  {
    const auto index = open();
    EXPECT_FALSE(index->was_settled());
    EXPECT_EQ(at(*index, 1), 1);
    ASSERT_TRUE(index->settle());
  }
  {
    const auto index = open();
    EXPECT_TRUE(index->was_settled());
    EXPECT_EQ(at(*index, 1), 1);
  }
  EXPECT_FALSE(open()->was_settled()) << "the one before did nothing but open it";
}

TEST_F(HookIndexTest, an_erased_one_is_empty) {
  {
    const auto index = open();
    add(*index, 1, {1});
  }
  ASSERT_TRUE(HookIndex::erase(file()));
  EXPECT_TRUE(*open()->is_empty());
}

TEST_F(HookIndexTest, what_was_removed_is_led_to_no_more) {
  const auto index = open();
  add(*index, 1, {1});
  EXPECT_TRUE(*index->contains(key(1)));
  ASSERT_TRUE(index->remove(key(1)));
  EXPECT_FALSE(*index->contains(key(1)));
  EXPECT_EQ(at(*index, 1), 0);
}

TEST_F(HookIndexTest, keys_are_listed_in_order_a_page_at_a_time) {
  const auto index = open();
  for (const uint8_t n : std::vector<uint8_t>{5, 1, 4, 2, 3}) add(*index, n, {n});
  std::vector<int> listed;
  for (HookIndex::Key after{};;) {
    const auto page = index->keys(after, 2);
    ASSERT_TRUE(page);
    if (page->empty()) break;
    for (const auto& found : *page) listed.push_back(std::to_integer<int>(found[0]));
    after = page->back();
  }
  EXPECT_EQ(listed, (std::vector<int>{1, 2, 3, 4, 5}));
}

TEST_F(HookIndexTest, a_second_one_is_told_that_it_is_busy) {
  const auto index = open();
  add(*index, 1, {1});
  const auto second = HookIndex::open(file());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::busy);
  EXPECT_EQ(at(*index, 1), 1) << "and took nothing away";
}

TEST_F(HookIndexTest, a_file_that_is_no_index_is_made_anew) {
  std::ofstream(file()) << std::string(10'000, 'x');
  const auto index = open();
  EXPECT_TRUE(*index->is_empty());
  add(*index, 1, {1});
  EXPECT_TRUE(index->settle());
}

TEST_F(HookIndexTest, a_record_that_was_altered_is_none) {
  {
    const auto index = open();
    add(*index, 1, {1});
  }
  sqlite3* table = nullptr;
  ASSERT_EQ(sqlite3_open(file().c_str(), &table), SQLITE_OK);
  EXPECT_EQ(
      sqlite3_exec(table, "UPDATE record SET bytes = zeroblob(100)", nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(table);
  const auto index = open();
  EXPECT_EQ(at(*index, 1), 0);
}

}  // namespace
}  // namespace cb::catalog
