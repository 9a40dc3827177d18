// SPDX-License-Identifier: Apache-2.0
//
// The backup engine with the real plugins: what is read, what is sent, and what a snapshot holds.
#include "core/client/backup.h"

#include <atomic>

#include "core/client/backup_fixture.h"

namespace cb::client {
namespace {

namespace fs = std::filesystem;
using repository::must;

class BackupTest : public BackupFixture {
 protected:
  void write_some() {
    for (int i = 0; i < 60; ++i)
      write("small/" + std::to_string(i),
            random_bytes(static_cast<size_t>(100 + 37 * i), 1u + static_cast<unsigned>(i)));
    write("big", random_bytes(900'000, 500));
    write("text", text(300'000));
    write("empty", {});
    fs::create_symlink("big", source_ / "link");
  }
};

class BackupOfManyTest : public BackupFixture {
 protected:
  BackupOfManyTest() : BackupFixture(repository::Cutting{}) {}
};

TEST_F(BackupTest, a_snapshot_holds_what_the_folder_holds) {
  write_some();
  const BackupResult result = backup();
  expect_equal(result);
  EXPECT_EQ(result.counts.files, 63u);
  EXPECT_EQ(result.counts.files_unchanged, 0u);
  EXPECT_EQ(result.counts.bytes_read, result.counts.bytes);
  EXPECT_EQ(result.unreadable_count, 0u);
  EXPECT_EQ(entry(result, "link").target, "big");
  EXPECT_EQ(entry(result, "empty").size, 0u);
  const auto record = must(repository::decode_snapshot(open(result.snapshot).plain));
  EXPECT_EQ(record.paths, std::vector<std::string>{source_.string()});
  EXPECT_EQ(record.files, 63u);
  EXPECT_EQ(record.host, "host");
  EXPECT_TRUE(record.previous.is_zero());
}

TEST_F(BackupTest, an_unchanged_folder_is_not_read_and_sends_next_to_nothing) {
  write_some();
  const BackupResult first = backup();
  const BackupResult second = backup();
  EXPECT_EQ(reads_.size(), 0u);
  EXPECT_EQ(second.counts.files_unchanged, 62u);  // the empty one has nothing to read
  EXPECT_EQ(second.counts.bytes_read, 0u);
  expect_little_sent();
  const auto record = must(repository::decode_snapshot(open(second.snapshot).plain));
  EXPECT_EQ(record.previous, first.snapshot);
  expect_equal(second);
}

TEST_F(BackupTest, one_changed_file_is_read_alone) {
  write_some();
  backup();
  write("small/7", as_bytes("now something else"));
  const BackupResult second = backup();
  EXPECT_EQ(reads_.size(), 1u);
  EXPECT_EQ(second.counts.bytes_read, 18u);
  expect_equal(second);
}

TEST_F(BackupTest, a_commit_reports_what_became_of_the_files_of_the_last_backup) {
  write_some();
  backup();
  EXPECT_FALSE(repository_.commits.back().report) << "there was none before";
  write("small/7", as_bytes("now something else"));
  write("small/8.locked", random_bytes(4000, 8));
  fs::remove(source_ / "small/8");
  write("more", random_bytes(20'000, 9));
  backup();
  const auto report = repository_.commits.back().report;
  ASSERT_TRUE(report);
  EXPECT_EQ(report->unchanged, 61u);
  EXPECT_EQ(report->changed, 1u);
  EXPECT_EQ(report->added, 2u);
  EXPECT_EQ(report->removed, 1u);
  EXPECT_EQ(report->renamed, 1u);
  EXPECT_GE(report->plain_bytes, 24'000u);
  EXPECT_GE(report->stored_bytes, report->plain_bytes);
  BackupRequest all = request();
  all.read_all = true;
  must(try_backup(all));
  EXPECT_FALSE(repository_.commits.back().report) << "who reads everything knows nothing of it";
}

TEST_F(BackupTest, files_that_just_changed_are_read_again) {
  clock_.ahead = {};
  write_some();
  backup();
  const BackupResult second = backup();
  EXPECT_EQ(second.counts.files_unchanged, 0u);
  expect_little_sent();
}

TEST_F(BackupTest, read_all_reads_everything_and_sends_nothing_twice) {
  write_some();
  backup();
  BackupRequest all = request();
  all.read_all = true;
  const BackupResult second = must(try_backup(all));
  EXPECT_EQ(second.counts.bytes_read, second.counts.bytes);
  expect_little_sent();
}

TEST_F(BackupTest, a_deleted_or_damaged_cache_costs_reading_only) {
  write_some();
  backup();
  for (const auto& file : fs::directory_iterator(folder_ / "cache")) fs::remove(file);
  EXPECT_EQ(backup().counts.files_unchanged, 0u);
  expect_little_sent();
  for (const auto& file : fs::directory_iterator(folder_ / "cache")) {
    if (file.path().extension() == ".lock") continue;
    std::fstream out(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(200);
    out.write("damage", 6);
  }
  const BackupResult third = backup();
  EXPECT_EQ(third.counts.files_unchanged, 0u);
  expect_little_sent();
  expect_equal(third);
  EXPECT_EQ(backup().counts.bytes_read, 0u);
}

TEST_F(BackupTest, a_clock_that_jumps_back_costs_reading_only) {
  write_some();
  backup();
  clock_.ahead = -std::chrono::hours(48);
  write("small/7", random_bytes(777, 9000));
  expect_equal(backup());
  write("small/7", random_bytes(777, 9001));
  expect_equal(backup());
  clock_.ahead = std::chrono::hours(1);
  write("small/7", random_bytes(777, 9002));
  expect_equal(backup());
  EXPECT_EQ(backup().counts.bytes_read, 0u) << "and is over when the clock is right again";
}

TEST_F(BackupTest, an_insertion_at_the_front_of_a_big_file_sends_little) {
  Bytes big = random_bytes(8 << 20, 3);
  write("big", big);
  const BackupResult first = backup();
  EXPECT_FALSE(entry(first, "big").extent_root.is_zero());
  const Bytes front = random_bytes(100, 4);
  big.insert(big.begin(), front.begin(), front.end());
  write("big", big);
  const BackupResult second = backup();
  EXPECT_LT(repository_.put_bytes, 6u * 65536 + 128 * 1024);
  expect_equal(second);
  EXPECT_EQ(backup().counts.bytes_read, 0u);
  EXPECT_EQ(repository_.sent_again, 0u);
}

TEST_F(BackupOfManyTest, twenty_thousand_small_files_make_few_blobs) {
  std::mt19937 random(9);
  for (int folder = 0; folder < 40; ++folder) {
    fs::create_directory(source_ / std::to_string(folder));
    for (int file = 0; file < 500; ++file)
      write(std::to_string(folder) + "/" + std::to_string(file),
            random_bytes(20 + random() % 300, random()));
  }
  const BackupResult first = backup();
  EXPECT_EQ(first.counts.files, 20'000u);
  EXPECT_LT(data_blobs(), 60u);
  EXPECT_LT(repository_.questions, 200u);
  const BackupResult second = backup();
  EXPECT_EQ(reads_.size(), 0u);
  expect_little_sent();
  write("7/7", as_bytes("changed"));
  const BackupResult third = backup();
  EXPECT_EQ(reads_.size(), 1u);
  EXPECT_LT(repository_.put_bytes, 512u * 1024);
  EXPECT_EQ(as_text(content(entry(third, "7/7"))), "changed");
  EXPECT_TRUE(content(entry(third, "39/499")) == disk(source_ / "39/499"));
}

TEST_F(BackupTest, holes_are_neither_read_nor_stored) {
  write("sparse", random_bytes(70'000, 1));
  fs::resize_file(source_ / "sparse", 50 << 20);
  {
    std::fstream file(source_ / "sparse", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(30 << 20);
    file.write("island", 6);
  }
  write("hole", {});
  fs::resize_file(source_ / "hole", 1 << 20);
  write("little", {});
  fs::resize_file(source_ / "little", 5000);
  const BackupResult result = backup();
  EXPECT_EQ(result.counts.bytes, (51u << 20) + 5000);
  EXPECT_LT(result.counts.bytes_read, 200'000u);
  expect_equal(result);
  const auto hole = entry(result, "hole");
  ASSERT_EQ(hole.extents.size(), 1u);
  EXPECT_TRUE(hole.extents[0].hole);
  EXPECT_EQ(backup().counts.bytes_read, 0u);
}

TEST_F(BackupTest, a_file_with_several_names_is_read_once) {
  write("a", random_bytes(3000, 1));
  write("m", random_bytes(2'000'000, 2));
  fs::create_hard_link(source_ / "a", source_ / "b");
  fs::create_hard_link(source_ / "m", source_ / "z");
  const BackupResult first = backup();
  EXPECT_EQ(reads_.size(), 2u);
  expect_equal(first);
  EXPECT_EQ(entry(first, "a").extents, entry(first, "b").extents);
  EXPECT_EQ(entry(first, "a").inode, entry(first, "b").inode);
  EXPECT_NE(entry(first, "a").inode, 0u);
  EXPECT_EQ(entry(first, "m").extent_root, entry(first, "z").extent_root);
  const BackupResult second = backup();
  EXPECT_EQ(reads_.size(), 0u);
  EXPECT_EQ(entry(second, "z"), entry(first, "z"));
}

TEST_F(BackupTest, a_file_that_grows_while_it_is_read_is_noted) {
  write("growing", random_bytes(400'000, 1));
  write("small", as_bytes("small"));
  const std::string path = (source_ / "growing").string();
  std::atomic<int> reads = 0;
  fault_ = [&](const std::string& call, const std::string& at) {
    if (call == "read_at" && at == path && ++reads == 2)
      std::ofstream(path, std::ios::app | std::ios::binary) << "more";
    return 0;
  };
  const BackupResult result = backup();
  EXPECT_EQ(result.counts.files_changed, 1u);
  ASSERT_EQ(result.notes.size(), 1u);
  const auto growing = entry(result, "growing");
  EXPECT_EQ(growing.flags, repository::kEntryChanged);
  EXPECT_EQ(growing.size, 400'000u);
  EXPECT_EQ(content(growing).size(), 400'000u);
  EXPECT_EQ(entry(result, "small").flags, 0u);
  fault_ = {};
  const BackupResult second = backup();
  EXPECT_EQ(reads_.size(), 1u);
  expect_equal(second);
}

TEST_F(BackupTest, a_file_that_shrinks_while_it_is_read_has_what_came) {
  write("shrinking", random_bytes(1'000'000, 1));
  const std::string path = (source_ / "shrinking").string();
  std::atomic<int> reads = 0;
  fault_ = [&](const std::string& call, const std::string& at) {
    if (call == "read_at" && at == path && ++reads == 2) fs::resize_file(path, 300'000);
    return 0;
  };
  const auto shrinking = entry(backup(), "shrinking");
  EXPECT_EQ(shrinking.flags, repository::kEntryChanged);
  EXPECT_EQ(shrinking.size, 300'000u);
  EXPECT_EQ(content(shrinking).size(), 300'000u);
}

TEST_F(BackupTest, files_that_cannot_be_read_are_listed_and_do_not_stop_it) {
  write_some();
  const std::string denied = (source_ / "small/3").string();
  const std::string broken = (source_ / "big").string();
  const std::string gone = (source_ / "small/4").string();
  fault_ = [&](const std::string& call, const std::string& at) {
    if (call == "open_file" && at == denied) return EACCES;
    if (call == "open_file" && at == gone) return ENOENT;
    return call == "read_at" && at == broken ? EIO : 0;
  };
  const BackupResult result = backup();
  EXPECT_EQ(result.unreadable_count, 2u);
  ASSERT_EQ(result.unreadable.size(), 2u);
  EXPECT_EQ(entry(result, "small/3").flags, repository::kEntryUnreadable);
  EXPECT_EQ(entry(result, "big").flags, repository::kEntryUnreadable);
  EXPECT_EQ(result.counts.files, 62u);
  EXPECT_TRUE(content(entry(result, "small/5")) == disk(source_ / "small/5"));
  fault_ = {};
  const BackupResult second = backup();
  EXPECT_EQ(reads_.size(), 3u);
  expect_equal(second);
}

TEST_F(BackupTest, files_in_blobs_that_are_hardly_used_are_stored_anew) {
  for (int i = 0; i < 40; ++i)
    write("d/" + std::to_string(100 + i), random_bytes(100, static_cast<unsigned>(i)));
  backup();
  for (int i = 0; i < 30; ++i) fs::remove(source_ / "d" / std::to_string(100 + i));
  const BackupResult second = backup();  // finds that little is used
  EXPECT_EQ(reads_.size(), 0u);
  const BackupResult third = backup();  // and stores it anew
  EXPECT_EQ(reads_.size(), 10u);
  EXPECT_NE(entry(third, "d/135").extents[0].blob, entry(second, "d/135").extents[0].blob);
  EXPECT_EQ(open(entry(third, "d/135").extents[0].blob).plain.size(), 1000u);
  expect_equal(third);
  backup();
  EXPECT_EQ(reads_.size(), 0u);
}

TEST_F(BackupTest, a_dry_run_tells_what_is_new_and_sends_nothing) {
  write_some();
  backup();
  write("new", random_bytes(50'000, 77));
  BackupRequest dry = request();
  dry.dry_run = true;
  const BackupResult result = must(try_backup(dry));
  EXPECT_TRUE(result.snapshot.is_zero());
  EXPECT_EQ(repository_.puts, 0u);
  EXPECT_GE(result.counts.bytes_sent, 50'000u);
  EXPECT_LT(result.counts.bytes_sent, 200'000u);
  EXPECT_EQ(result.counts.files, 64u);
  backup();
  EXPECT_EQ(reads_.size(), 1u);
}

TEST_F(BackupTest, a_stream_becomes_a_file_of_its_name) {
  const Bytes all = random_bytes(700'000, 5);
  size_t at = 0;
  BackupRequest stream = request();
  stream.paths.clear();
  stream.input_name = "dumps/database.sql";
  stream.input = [&](ByteSpan into) -> Result<size_t> {
    const size_t size = std::min<size_t>({into.size(), all.size() - at, 33'333});
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(at), size, into.begin());
    at += size;
    return size;
  };
  const BackupResult result = must(try_backup(stream));
  const auto found = entries(result.commit.root);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(content(found.at("dumps/database.sql")) == all);
  EXPECT_EQ(result.counts.bytes, all.size());
  stream.input_name = "../up";
  EXPECT_EQ(repository::code_of(try_backup(stream)), Code::invalid);
}

TEST_F(BackupTest, excluded_files_are_left_out) {
  write_some();
  BackupRequest some = request();
  some.excludes = {"small/", "*.tmp"};
  const BackupResult result = must(try_backup(some));
  EXPECT_EQ(result.counts.files, 3u);
  const auto record = must(repository::decode_snapshot(open(result.snapshot).plain));
  EXPECT_EQ(record.excludes, some.excludes);
}

TEST_F(BackupTest, progress_ends_with_what_there_is) {
  write_some();
  clock_.tick = std::chrono::milliseconds(30);
  std::vector<report::Progress> seen;
  progress_ = [&](const report::Progress& now) { seen.push_back(now); };
  const uint64_t total = backup().counts.bytes;
  ASSERT_GE(seen.size(), 3u);
  EXPECT_EQ(seen.front().phase, "scan");
  EXPECT_EQ(seen.back().phase, "finish");
  seen.clear();
  backup();
  uint64_t most = 0;
  for (const auto& now : seen) {
    EXPECT_TRUE(now.total == 0 || now.total == total);
    most = std::max(most, now.done);
  }
  EXPECT_GT(most, 0u);
  EXPECT_LE(most, total);
}

TEST_F(BackupTest, no_source_is_an_error_and_one_missing_is_listed) {
  write_some();
  BackupRequest request = this->request();
  request.paths = {(folder_ / "nowhere").string()};
  EXPECT_EQ(repository::code_of(try_backup(request)), Code::io);
  request.paths.push_back(source_.string());
  const BackupResult result = must(try_backup(request));
  EXPECT_EQ(result.unreadable_count, 1u);
  EXPECT_EQ(result.counts.files, 63u);
}

}  // namespace
}  // namespace cb::client
