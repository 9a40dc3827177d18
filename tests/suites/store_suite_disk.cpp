// SPDX-License-Identifier: Apache-2.0
//
// The suite of stores against the disk: a full one, strange files, and formats of other programs
// and later versions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "tests/suites/store_fixture.h"

namespace cb::test {
namespace {

using testing::HasSubstr;

// A small file system in memory, mounted while this lives.
class SmallDisk {
 public:
  explicit SmallDisk(const os::Path& at) : at_(at) {
    mounted_ = ::mount("store-suite", at.c_str(), "tmpfs", 0, "size=24m") == 0;
    if (!mounted_) why_ = std::strerror(errno);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  os::Path at_;
  bool mounted_ = false;
  std::string why_;
};

// Puts objects of 1 MB until one fails; how many there are, and the failure.
std::pair<uint64_t, Error> fill(plugin::Store& store) {
  for (uint64_t i = 0;; ++i) {
    const Status done = put(store, "fill/" + std::to_string(i), i, 1'000'000);
    if (!done) return {i, done.error()};
  }
}

TEST_P(StoreSuite, a_full_disk_fails_the_put_and_nothing_else) {
  const TemporaryFolder place;
  const SmallDisk disk(place.path());
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a small tmpfs: " << disk.why();
  Subject small(GetParam(), place.path());
  std::optional<plugin::Store> store = value(small.open());
  for (int cycle = 0; cycle < 3; ++cycle) {
    const auto [count, failure] = fill(*store);
    EXPECT_EQ(failure.code, Code::no_space) << failure.text();
    ASSERT_GE(count, 8u) << "cycle " << cycle;
    EXPECT_EQ(small.leftovers(), 0u);
    EXPECT_EQ(value(names(*store, "fill/")).size(), count);
    for (uint64_t i = 0; i < count; ++i)
      EXPECT_TRUE(value(read_object(*store, "fill/" + std::to_string(i))) ==
                  pattern(i, 0, 1'000'000));
    for (uint64_t i = 0; i < count; ++i) ASSERT_OK(store->remove("fill/" + std::to_string(i)));
    ASSERT_OK(put(*store, "small", 1, 100'000));
    ASSERT_OK(store->remove("small"));
  }
  store.reset();
  EXPECT_TRUE(small.open());
}

TEST_P(StoreSuite, after_a_write_without_room_only_abort_helps) {
  const TemporaryFolder place;
  const SmallDisk disk(place.path());
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a small tmpfs: " << disk.why();
  Subject small(GetParam(), place.path());
  plugin::Store store = value(small.open());
  ASSERT_OK(put(store, "kept", 1, 500'000));
  plugin::Put big = value(store.put_begin("big"));
  EXPECT_CODE(write_pattern(big, 2, 0, 100'000'000), Code::no_space);
  EXPECT_CODE(big.write(pattern(2, 0, 10)), Code::state);
  EXPECT_CODE(big.commit(), Code::state);
  EXPECT_CODE(store.stat("big"), Code::not_found);
  EXPECT_TRUE(value(read_object(store, "kept")) == pattern(1, 0, 500'000));
  ASSERT_OK(put(store, "after", 3, 500'000));
  EXPECT_EQ(small.leftovers(), 0u);
}

TEST_P(StoreSuite, a_place_that_cannot_be_made_is_an_error_that_names_it) {
  std::ofstream(folder() / "file").put('x');
  Subject lost(GetParam(), folder() / "file" / "below");
  const auto opened = lost.open();
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().text(), HasSubstr("file/below"));
  Subject missing(GetParam(), folder());
  close();
  std::filesystem::remove_all(subject().place());
  EXPECT_CODE(missing.open({{"create", "false"}}), Code::not_found);
}

class StoreFs : public StoreSuite {};
class StoreSqlite : public StoreSuite {};

void write_text(const os::Path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

TEST_P(StoreFs, refuses_a_newer_format_and_another_fan_out) {
  EXPECT_CODE(subject().open({{"fan_out", "3"}}), Code::invalid);
  close();
  write_text(subject().place() / "layout", "store-fs 2\nsomething new\n");
  const auto newer = subject().open();
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, Code::unsupported);
  EXPECT_THAT(newer.error().text(), HasSubstr("newer store-fs"));
  for (const char* text : {"", "store-fs", "store-fs x", "other 1\n", "store-fs 1\nfan_out 9\n"}) {
    write_text(subject().place() / "layout", text);
    EXPECT_CODE(subject().open(), Code::corrupt);
  }
}

TEST_P(StoreFs, works_with_each_fan_out) {
  for (const char* fan_out : {"1", "3", "4"}) {
    const TemporaryFolder place;
    Subject other("store-fs", place.path());
    plugin::Store store = value(other.open({{"fan_out", fan_out}}));
    const std::vector<std::string> sorted = {"..a",   ".a", "a",    "a-b",    "a.b", "a/b",
                                             "a/b/c", "a0", "abcd", "abcd/e", "abce"};
    for (const std::string& name : sorted) ASSERT_OK(put(store, name, 1, 3));
    EXPECT_EQ(value(names(store)), sorted);
    EXPECT_THAT(value(names(store, "abc", "abcd")), testing::ElementsAre("abcd/e", "abce"));
  }
}

TEST_P(StoreFs, does_not_follow_symbolic_links) {
  ASSERT_OK(put(store(), "real/one", 1, 10));
  write_text(folder() / "secret", "outside");
  const os::Path objects = subject().place() / "objects";
  std::filesystem::create_symlink(folder() / "secret", objects / "re=" / "real," / "on=" / "onto");
  std::filesystem::create_directory(folder() / "elsewhere");
  std::filesystem::create_directory(objects / "li=");
  std::filesystem::create_directory_symlink(folder() / "elsewhere", objects / "li=" / "link,");
  EXPECT_CODE(store().get_open("real/onto"), Code::corrupt);
  EXPECT_CODE(store().stat("real/onto"), Code::corrupt);
  EXPECT_CODE(store().get_open("link/any"), Code::corrupt);
  EXPECT_CODE(put(store(), "link/any", 1, 10), Code::corrupt);
  EXPECT_TRUE(std::filesystem::is_empty(folder() / "elsewhere"));
  EXPECT_THAT(value(names(store(), "real/")), testing::ElementsAre("real/one"));
  EXPECT_EQ(subject().leftovers(), 0u);
}

TEST_P(StoreFs, ignores_files_that_no_name_maps_to) {
  ASSERT_OK(put(store(), "abc", 1, 10));
  const os::Path objects = subject().place() / "objects";
  write_text(objects / "stray", "");
  write_text(objects / "ab=" / "UPPER", "");
  write_text(objects / "ab=" / "zz", "");
  write_text(subject().place() / "tmp" / "notes", "");
  close();
  reopen();
  EXPECT_THAT(value(names(store())), testing::ElementsAre("abc"));
  EXPECT_TRUE(std::filesystem::exists(subject().place() / "tmp" / "notes"));
}

TEST_P(StoreFs, removes_leftovers_of_another_boot_by_age_only) {
  close();
  const os::Path old = subject().place() / "tmp" / "put-1-5-00000000deadbeef-77-0123456789abcdef";
  const os::Path fresh = subject().place() / "tmp" / "put-1-5-00000000deadbeef-77-0123456789abcde0";
  write_text(old, "x");
  write_text(fresh, "x");
  std::filesystem::last_write_time(
      old, std::filesystem::file_time_type::clock::now() - std::chrono::hours(25));
  reopen();
  EXPECT_FALSE(std::filesystem::exists(old));
  EXPECT_TRUE(std::filesystem::exists(fresh));
}

// Overwrites a big-endian number in the header of a SQLite file.
void patch_header(const os::Path& path, std::streamoff offset, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offset);
  file << bytes;
}

constexpr std::streamoff kUserVersion = 60;
constexpr std::streamoff kApplicationId = 68;

TEST_P(StoreSqlite, refuses_newer_formats_and_files_of_other_programs) {
  close();
  patch_header(subject().place(), kUserVersion, std::string("\0\0\0\x02", 4));
  const auto newer = subject().open();
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, Code::unsupported);
  EXPECT_THAT(newer.error().text(), HasSubstr("newer store-sqlite"));
  patch_header(subject().place(), kUserVersion, std::string("\0\0\0\x01", 4));
  EXPECT_TRUE(subject().open());
  patch_header(subject().place(), kApplicationId, "elsE");
  EXPECT_CODE(subject().open(), Code::invalid);
  write_text(subject().place(), std::string(5000, 'x'));
  EXPECT_CODE(subject().open(), Code::corrupt);
}

uint64_t size_of(const os::Path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

TEST_P(StoreSqlite, the_write_ahead_log_stays_small_during_a_large_put) {
  close();
  plugin::Store store = value(subject().open({{"log_limit", "4MiB"}}));
  plugin::Put put = value(store.put_begin("large"));
  uint64_t largest = 0;
  const uint64_t step = 1 << 20;
  for (uint64_t at = 0; at < 160 * step; at += step) {
    ASSERT_OK(put.write(pattern(1, at, step)));
    largest = std::max(largest, size_of(subject().place().string() + "-wal"));
    if (at % (16 * step) == 0) ASSERT_OK(names(store));
  }
  ASSERT_OK(put.commit());
  EXPECT_LE(largest, 6u << 20);
  EXPECT_TRUE(value(read_object(store, "large", 100 * step + 5, 99'999)) ==
              pattern(1, 100 * step + 5, 99'999));
}

TEST_P(StoreSqlite, room_of_removed_objects_is_used_again_and_given_back) {
  for (int round = 0; round < 12; ++round) {
    ASSERT_OK(put(store(), "round", static_cast<uint64_t>(round), 20'000'000));
    ASSERT_OK(store().remove("round"));
  }
  close();
  EXPECT_LE(size_of(subject().place()), 60'000'000u);
  reopen();
  for (int i = 0; i < 10; ++i) ASSERT_OK(put(store(), "many/" + std::to_string(i), 1, 20'000'000));
  close();
  const uint64_t full = size_of(subject().place());
  EXPECT_GE(full, 200'000'000u);
  reopen();
  for (int i = 0; i < 10; ++i) ASSERT_OK(store().remove("many/" + std::to_string(i)));
  for (int i = 0; i < 10; ++i) ASSERT_OK(put(store(), "little", 1, 5));
  close();
  EXPECT_LE(size_of(subject().place()), full - 90'000'000u);
  EXPECT_EQ(subject().leftovers(), 0u);
}

TEST_P(StoreSqlite, objects_with_different_segment_sizes_live_side_by_side) {
  ASSERT_OK(put(store(), "default", 1, 1'000'000));
  close();
  plugin::Store other = value(subject().open({{"segment_size", "16KiB"}}));
  ASSERT_OK(put(other, "small", 2, 1'000'000));
  EXPECT_TRUE(value(read_object(other, "default")) == pattern(1, 0, 1'000'000));
  EXPECT_TRUE(value(read_object(other, "small", 16'380, 40'000)) == pattern(2, 16'380, 40'000));
}

TEST_P(StoreSqlite, nobody_else_may_read_the_files) {
  ASSERT_OK(put(store(), "private", 1, 1'000'000));
  for (const char* tail : {"", "-wal", "-shm", "-locks"}) {
    const os::Path file = subject().place().string() + tail;
    EXPECT_EQ(std::filesystem::status(file).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << file;
  }
}

INSTANTIATE_TEST_SUITE_P(only, StoreFs, testing::Values("store-fs"), test_name);
INSTANTIATE_TEST_SUITE_P(only, StoreSqlite, testing::Values("store-sqlite"), test_name);

}  // namespace
}  // namespace cb::test
