// SPDX-License-Identifier: Apache-2.0
//
// For tests of the backup engine: a folder of files, a repository, and reading snapshots back. Used
// by one thread.
#pragma once

#include <sys/stat.h>
#include <unistd.h>
#include <atomic>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>

#include "core/client/backup.h"
#include "core/client/memory_remote.h"
#include "core/identity/signing.h"
#include "core/os/failing_tree_test.h"
#include "core/repository/suite_fixture.h"
#include "core/repository/tree.h"

namespace cb::client {

// The system's clock, moved on, so that files that were just made count as settled.
class LaterClock final : public os::Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds wall() const override {
    return os::system_clock().wall() + ahead;
  }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    ticks += tick.count();
    return os::system_clock().monotonic() + std::chrono::nanoseconds(ticks);
  }

  std::chrono::nanoseconds ahead = std::chrono::hours(1);
  std::chrono::nanoseconds tick{};  // so much passes with each look
  mutable std::atomic<int64_t> ticks{0};
};

constexpr repository::Cutting kSmallPieces{4096, 16384, 65536, 8192};

class BackupFixture : public repository::SuiteFixture {
 protected:
  BackupFixture() : BackupFixture(kSmallPieces) {}
  explicit BackupFixture(const repository::Cutting& cutting)
      : fresh_(repository::must(
            repository::make_repository(*crypto_, os::system_random(), {cutting, "zstd", 0}))),
        keys_(repository::must(repository::WriteKeys::make(*crypto_, fresh_.record.id,
                                                           fresh_.keyring.write_key.view()))),
        device_(repository::must(identity::SigningKey::make(os::system_random()))),
        tree_([this](const std::string& call, const std::string& path) {
          if (call == "read_at") {
            const std::lock_guard lock(mutex_);
            reads_.insert(path);
          }
          return fault_ ? fault_(call, path) : 0;
        }) {
    std::string name = (std::filesystem::temp_directory_path() / "cb-backup-XXXXXX").string();
    folder_ = std::filesystem::canonical(::mkdtemp(name.data()));
    source_ = folder_ / "source";
    std::filesystem::create_directory(source_);
    repository_.record = fresh_.record;
    connect_ = [this] { return std::make_shared<MemoryRemote>(repository_); };
  }

  ~BackupFixture() override {
    std::filesystem::permissions(source_, std::filesystem::perms::owner_all);
    std::filesystem::remove_all(folder_);
  }

  void write(const std::string& name, ByteView content) {
    const auto path = source_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(content.data()),
               static_cast<std::streamsize>(content.size()));
    ASSERT_TRUE(file.flush());
  }

  Backup::Parts parts() {
    Backup::Parts parts;
    parts.suite = suite();
    parts.keys = &keys_;
    parts.record = &fresh_.record;
    parts.device.bytes = identity::device_id_of(device_.public_key());
    parts.sign = [this](ByteView message) { return device_.sign(message); };
    parts.device_key = device_.public_key();
    parts.connect = [this]() -> Result<std::shared_ptr<repository::Remote>> {
      ++connections_;
      return connect_();
    };
    parts.cache_folder = folder_ / "cache";
    parts.tree = &tree_;
    parts.clock = &clock_;
    parts.random = &os::system_random();
    parts.progress = progress_;
    return parts;
  }

  BackupRequest request() {
    BackupRequest request;
    request.paths = {source_.string()};
    request.host = "host";
    request.user = "user";
    request.program = "test";
    request.verify = Verify::all;
    return request;
  }

  Result<BackupResult> try_backup(const BackupRequest& request) {
    reads_.clear();
    repository_.puts = repository_.put_bytes = 0;
    Backup backup(parts());
    return backup.run(request);
  }
  BackupResult backup() { return repository::must(try_backup(request())); }

  // A blob as the repository has it.
  virtual repository::StoredBlob stored(const repository::BlobId& id) {
    const auto found = repository_.blobs.find(id);
    if (found == repository_.blobs.end()) throw std::runtime_error("no blob " + id.hex());
    return found->second;
  }

  repository::PlainBlob open(const repository::BlobId& id) {
    if (!opener_)
      opener_ =
          repository::must(repository::Opener::make(suite(), fresh_.record.id, fresh_.keyring));
    const auto blob = stored(id);
    if (!opener_->knows(blob.head.session)) {
      repository::BlobId record;
      std::copy_n(blob.head.session.bytes.begin(), blob.head.session.bytes.size(),
                  record.bytes.begin());
      repository::must(opener_->learn(blob.head.session, stored(record).stored));
    }
    return repository::must(opener_->open(blob));
  }

  repository::NodeSource nodes() {
    return [this](const repository::BlobId& id) -> Result<repository::Node> {
      const auto plain = open(id);
      return repository::decode_node(plain.plain, plain.children);
    };
  }

  std::map<std::string, repository::Entry> entries(const repository::BlobId& root) {
    repository::TreeWalker walker(nodes(), root);
    std::map<std::string, repository::Entry> result;
    while (auto entry = repository::must(walker.next())) result[entry->path] = *entry;
    return result;
  }

  // Of a file below the source.
  repository::Entry entry(const BackupResult& result, const std::string& name) {
    const std::string path = (source_ / name).string().substr(1);
    return repository::must(repository::find_entry(nodes(), result.commit.root, path)).value();
  }

  Bytes content(const repository::Entry& file) {
    Bytes bytes;
    EXPECT_TRUE(
        repository::for_each_extent(file, nodes(), [&](const repository::Extent& extent) -> Status {
          if (extent.hole) {
            bytes.resize(bytes.size() + extent.length);
            return {};
          }
          const auto plain = open(extent.blob).plain;
          const auto from = plain.begin() + static_cast<std::ptrdiff_t>(extent.offset);
          bytes.insert(bytes.end(), from, from + static_cast<std::ptrdiff_t>(extent.length));
          return {};
        }));
    return bytes;
  }

  Bytes disk(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    return to_bytes(as_bytes(text));
  }

  // Is the snapshot what lies in the source?
  void expect_equal(const BackupResult& result) {
    const auto found = entries(result.commit.root);
    size_t files = 0;
    for (const auto& item : std::filesystem::recursive_directory_iterator(source_)) {
      const auto at = found.find(item.path().string().substr(1));
      ASSERT_NE(at, found.end()) << item.path();
      if (!item.is_regular_file() || item.is_symlink()) continue;
      ++files;
      ASSERT_EQ(at->second.size, item.file_size()) << item.path();
      ASSERT_TRUE(content(at->second) == disk(item.path())) << item.path();
    }
    EXPECT_EQ(result.counts.files, files);
  }

  // The snapshot, and at most the nodes above the entry of the folder for temporary files, which
  // others change.
  void expect_little_sent() const {
    EXPECT_GE(repository_.puts, 1u);
    EXPECT_LE(repository_.puts, 4u);
    EXPECT_LT(repository_.put_bytes, 64u * 1024);
  }

  size_t data_blobs() const {
    size_t count = 0;
    for (const auto& [id, blob] : repository_.blobs)
      count += blob.head.kind == repository::BlobKind::data ? 1 : 0;
    return count;
  }

  repository::NewRepository fresh_;
  repository::WriteKeys keys_;
  identity::SigningKey device_;
  std::filesystem::path folder_;
  std::filesystem::path source_;
  MemoryRepository repository_;
  std::function<Result<std::shared_ptr<repository::Remote>>()> connect_;
  std::atomic<int> connections_{0};
  LaterClock clock_;
  std::mutex mutex_;
  std::set<std::string> reads_;  // files whose content was read; guarded by mutex_
  os::Fault fault_;
  os::FailingTree tree_;
  std::function<void(const report::Progress&)> progress_;
  std::unique_ptr<repository::Opener> opener_;
};

}  // namespace cb::client
