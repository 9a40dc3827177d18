// SPDX-License-Identifier: Apache-2.0
//
// A cache folder that is full, broken or cannot be written: backups are whole all the same, and say
// that the next one takes longer.
#include "core/client/backup_fixture.h"
#include "core/client/failing_file_system.h"

namespace cb::client {
namespace {

namespace fs = std::filesystem;
using repository::must;

// So many bytes can be written, then the disk is full.
class FullFileSystem final : public FailingFileSystem {
 public:
  explicit FullFileSystem(uint64_t room) : room_(room) {}

  Result<std::unique_ptr<os::File>> open(const os::Path& path, os::Open how,
                                         uint32_t permissions) override {
    CB_ASSIGN(auto file, FailingFileSystem::open(path, how, permissions));
    return std::make_unique<FullFile>(std::move(file), room_);
  }

 private:
  class FullFile final : public os::File {
   public:
    FullFile(std::unique_ptr<os::File> file, uint64_t& room)
        : file_(std::move(file)), room_(room) {}
    Result<size_t> read(ByteSpan into) override { return file_->read(into); }
    Result<size_t> read_at(ByteSpan into, uint64_t at) override { return file_->read_at(into, at); }
    Status write(ByteView from) override {
      const size_t fits = std::min<uint64_t>(from.size(), room_);
      room_ -= fits;
      CB_TRY(file_->write(from.first(fits)));
      return fits == from.size() ? Status() : failed(Code::no_space, "cache", "the disk is full");
    }
    Status write_at(ByteView, uint64_t) override { return failed(Code::no_space, "cache", "full"); }
    Status sync() override { return file_->sync(); }
    Result<os::FileInfo> info() override { return file_->info(); }
    [[nodiscard]] int fd() const override { return file_->fd(); }

   private:
    std::unique_ptr<os::File> file_;
    uint64_t& room_;
  };

  uint64_t room_;
};

class CacheTroubleTest : public BackupFixture {
 protected:
  void SetUp() override {
    for (unsigned i = 0; i < 400; ++i)
      write("s/" + std::to_string(1000 + i), random_bytes(200 + 7 * i, i));
    write("big", random_bytes(400'000, 1000));
  }

  BackupResult backup_with(os::FileSystem& files, std::chrono::nanoseconds checkpoint_every) {
    Backup::Parts with = parts();
    with.files = &files;
    BackupRequest wanted = request();
    wanted.checkpoint_every = checkpoint_every;
    Backup run(with);
    return must(run.run(wanted));
  }

  static bool tells(const BackupResult& result) {
    return std::any_of(result.notes.begin(), result.notes.end(), [](const std::string& note) {
      return note.find("the cache cannot be written") != std::string::npos;
    });
  }
};

TEST_F(CacheTroubleTest, whichever_change_fails_the_backup_is_whole_and_says_so) {
  FailingFileSystem all_good;
  backup_with(all_good, std::chrono::hours(1));
  ASSERT_GT(all_good.changes(), 4u);
  for (size_t good = 0; good < all_good.changes(); ++good) {
    SCOPED_TRACE(good);
    fs::remove_all(folder_ / "cache");
    FailingFileSystem files(good);
    const BackupResult result = backup_with(files, std::chrono::hours(1));
    expect_equal(result);
    EXPECT_TRUE(tells(result));
  }
}

TEST_F(CacheTroubleTest, a_disk_that_fills_up_at_any_moment_stops_nothing_and_is_left_empty) {
  for (const uint64_t room : {0, 71, 72, 1000, 12'000, 20'000}) {
    SCOPED_TRACE(room);
    fs::remove_all(folder_ / "cache");
    clock_.tick = std::chrono::milliseconds(50);  // flushed and checkpointed often
    FullFileSystem files(room);
    const BackupResult result = backup_with(files, std::chrono::milliseconds(500));
    expect_equal(result);
    EXPECT_TRUE(tells(result));
    uint64_t left = 0;
    for (const auto& item : fs::directory_iterator(folder_ / "cache")) left += item.file_size();
    EXPECT_EQ(left, 0u);
  }
}

TEST_F(CacheTroubleTest, an_older_cache_still_serves_when_no_new_one_can_be_written) {
  backup();
  write("s/1007", random_bytes(3000, 5));
  FullFileSystem files(0);
  const BackupResult result = backup_with(files, std::chrono::hours(1));
  expect_equal(result);
  EXPECT_TRUE(tells(result));
  EXPECT_EQ(result.counts.files_unchanged, 400u);
}

TEST_F(CacheTroubleTest, what_an_interrupted_backup_did_waits_until_there_is_room_again) {
  connect_ = [this]() -> Result<std::shared_ptr<repository::Remote>> {
    if (connections_ > 1) return failed(Code::timeout, "server", "does not answer");
    return std::make_shared<MemoryRemote>(repository_, 40);
  };
  EXPECT_FALSE(try_backup(request()));
  connect_ = [this] { return std::make_shared<MemoryRemote>(repository_); };
  FullFileSystem full(80);
  const BackupResult cramped = backup_with(full, std::chrono::hours(1));
  expect_equal(cramped);
  EXPECT_TRUE(tells(cramped));
  const BackupResult roomy = backup();
  expect_equal(roomy);
  EXPECT_GT(roomy.counts.files_unchanged, 100u);
}

}  // namespace
}  // namespace cb::client
