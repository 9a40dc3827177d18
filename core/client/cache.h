// SPDX-License-Identifier: Apache-2.0
//
// What the last backup of a source set saw, in snapshot order, so that the next one need not read
// what did not change; and, while it grows, the journal of the running one. A stream of checksummed
// blocks in both directions: memory does not grow with it. May be deleted at any time. Readers and
// writers are used by one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/client/scanner.h"
#include "core/os/file_system.h"
#include "core/repository/entry.h"
#include "core/repository/record_reader.h"
#include "core/repository/record_writer.h"

namespace cb::client {

// The first half of a blob's id: enough to tell them apart.
using ShortId = Id<struct ShortIdTag, 16>;
ShortId short_id(const repository::BlobId& id);

struct CacheHeader {
  repository::RepositoryId repository;
  repository::KeyedHash source;
  int64_t time_ns = 0;  // when the scan began, by the wall clock

  bool operator==(const CacheHeader&) const = default;
};

struct CachedEntry {
  repository::Entry entry;
  SourceStat stat;
  // Of a file with an extent tree: every blob that it needs, data and nodes. Empty when there were
  // too many to note.
  std::vector<repository::BlobId> blobs;

  bool operator==(const CachedEntry&) const = default;
};
constexpr size_t kMaxNotedBlobs = 256 * 1024;

// How much of a blob that holds small files the snapshot uses.
struct BundleUse {
  ShortId blob;
  uint32_t size = 0;  // bytes
  uint32_t used = 0;

  bool operator==(const BundleUse&) const = default;
};

// What stands at the end of a cache whose backup was committed.
struct CacheSummary {
  repository::BlobId snapshot;
  uint64_t files = 0;
  uint64_t bytes = 0;  // of all files
  std::vector<BundleUse> bundles;
  std::vector<ShortId> nodes;  // of the snapshot's trees

  bool operator==(const CacheSummary&) const = default;
};

class CacheWriter {
 public:
  // Creates or empties the file.
  static Result<std::unique_ptr<CacheWriter>> create(os::FileSystem& files, const os::Path& path,
                                                     const CacheHeader& header);

  // In snapshot order. Written down when a block is full, or at flush().
  Status add(const CachedEntry& entry);
  Status flush();
  // Ends the file. Without it, it is a journal.
  Status finish(const CacheSummary& summary);

  [[nodiscard]] const os::Path& path() const { return path_; }

 private:
  CacheWriter(std::unique_ptr<os::File> file, os::Path path)
      : file_(std::move(file)), path_(std::move(path)) {}
  Status write_block(uint8_t type, ByteView payload);

  std::unique_ptr<os::File> file_;
  os::Path path_;
  uint64_t size_ = 0;
  repository::RecordWriter block_;
  CachedEntry last_;              // of this block
  repository::BlobId last_blob_;  // of this block
};

// Would a change since then show in the stat of a file? Not when it was changed so shortly before
// the scan, or during it, that a second change could bear the same times. By the wall clock.
bool is_settled(const SourceStat& stat, int64_t scan_began_ns);

class CacheReader {
 public:
  // Code::not_found when there is none, Code::corrupt when it is damaged at its start, or of
  // another repository or source set: all mean going without it.
  static Result<std::unique_ptr<CacheReader>> open(os::FileSystem& files, const os::Path& path,
                                                   const CacheHeader& expected);

  // Only the entries up to the first damage come; then nothing.
  std::optional<CachedEntry> next();

  [[nodiscard]] int64_t time_ns() const { return header_.time_ns; }
  // None in a journal.
  [[nodiscard]] const std::optional<CacheSummary>& summary() const { return summary_; }

  // May an entry be trusted that has the same stat now?
  [[nodiscard]] bool settled(const SourceStat& stat) const;

 private:
  explicit CacheReader(std::unique_ptr<os::File> file) : file_(std::move(file)) {}
  Status read_header(const CacheHeader& expected);
  void read_summary();
  // The block at offset_; Code::corrupt.
  Result<uint8_t> read_block();

  std::unique_ptr<os::File> file_;
  CacheHeader header_;
  std::optional<CacheSummary> summary_;
  uint64_t offset_ = 0;
  Bytes block_;
  std::optional<repository::RecordReader> in_;  // of block_
  bool ended_ = false;
  CachedEntry last_;
  repository::BlobId last_blob_;
};

}  // namespace cb::client
