// SPDX-License-Identifier: Apache-2.0
#include "core/client/cache.h"

#include <algorithm>
#include <array>

#include "core/client/cache_records.h"
#include "core/repository/block_sum.h"

namespace cb::client {
namespace {

using repository::block_sum;
using repository::RecordReader;
using repository::RecordWriter;

// "CBscan1\n" ‖ repository[16] ‖ source[32] ‖ time[8] ‖ sum[8], blocks, and at last
// offset of the summary[8] ‖ "CBscanE\n". A block: type[4] ‖ size[4] ‖ sum of the payload[8] ‖
// payload.
constexpr std::string_view kMagic = "CBscan1\n";
constexpr std::string_view kEnd = "CBscanE\n";
constexpr size_t kHeaderSize = 72;
constexpr size_t kBlockHead = 16;
constexpr size_t kEndSize = 16;
constexpr uint8_t kEntries = 1;
constexpr uint8_t kSummary = 2;
constexpr size_t kBlockFull = 64 * 1024;
constexpr uint64_t kBlockMost = 64 * 1024 * 1024;  // a whole summary, or noted blobs
constexpr int64_t kRacy = 2'000'000'000;           // ns

Bytes encode_header(const CacheHeader& header) {
  RecordWriter out;
  out.fixed(as_bytes(kMagic));
  out.fixed(header.repository.view());
  out.fixed(header.source.view());
  std::array<std::byte, 8> word{};
  store_le(word.data(), static_cast<uint64_t>(header.time_ns));
  out.fixed(word);
  store_le(word.data(), block_sum(out.written()));
  out.fixed(word);
  return out.take();
}

Error damaged(const char* what) {
  return fail(Code::corrupt, "local cache", what, "it is made anew by the next backup");
}

// All of `into`, or Code::corrupt.
Status read_exactly(os::File& file, ByteSpan into, uint64_t offset) {
  while (!into.empty()) {
    CB_ASSIGN(const size_t got, file.read_at(into, offset));
    if (got == 0) return failed(damaged("is cut off"));
    into = into.subspan(got);
    offset += got;
  }
  return {};
}

}  // namespace

ShortId short_id(const repository::BlobId& id) {
  ShortId result;
  std::copy_n(id.bytes.begin(), ShortId::kSize, result.bytes.begin());
  return result;
}

Result<std::unique_ptr<CacheWriter>> CacheWriter::create(os::FileSystem& files,
                                                         const os::Path& path,
                                                         const CacheHeader& header) {
  CB_ASSIGN(auto file, files.open(path, os::Open::replace));
  const Bytes head = encode_header(header);
  CB_TRY(file->write(head));
  std::unique_ptr<CacheWriter> writer(new CacheWriter(std::move(file), path));
  writer->size_ = head.size();
  return writer;
}

Status CacheWriter::add(const CachedEntry& entry) {
  block_.byte(1);
  write_cached(block_, entry, last_, last_blob_);
  return block_.written().size() < kBlockFull ? Status{} : flush();
}

Status CacheWriter::flush() {
  if (block_.written().empty()) return {};
  block_.byte(0);
  CB_TRY(write_block(kEntries, block_.written()));
  block_.clear();
  last_ = {};
  last_blob_ = {};
  return {};
}

Status CacheWriter::write_block(uint8_t type, ByteView payload) {
  std::array<std::byte, kBlockHead> head{};
  store_le(head.data(), uint32_t{type});
  store_le(head.data() + 4, static_cast<uint32_t>(payload.size()));
  store_le(head.data() + 8, block_sum(payload));
  CB_TRY(file_->write(head));
  CB_TRY(file_->write(payload));
  size_ += head.size() + payload.size();
  return {};
}

Status CacheWriter::finish(const CacheSummary& summary) {
  CB_TRY(flush());
  const uint64_t offset = size_;
  RecordWriter out;
  write_summary(out, summary);
  CB_TRY(write_block(kSummary, out.written()));
  std::array<std::byte, kEndSize> end{};
  store_le(end.data(), offset);
  std::copy_n(as_bytes(kEnd).begin(), kEnd.size(), end.begin() + 8);
  return file_->write(end);
}

Result<std::unique_ptr<CacheReader>> CacheReader::open(os::FileSystem& files, const os::Path& path,
                                                       const CacheHeader& expected) {
  CB_ASSIGN(auto file, files.open(path, os::Open::read));
  std::unique_ptr<CacheReader> reader(new CacheReader(std::move(file)));
  CB_TRY(reader->read_header(expected));
  reader->read_summary();
  reader->offset_ = kHeaderSize;
  return reader;
}

Status CacheReader::read_header(const CacheHeader& expected) {
  Bytes head(kHeaderSize);
  CB_TRY(read_exactly(*file_, head, 0));
  header_ = expected;
  header_.time_ns = static_cast<int64_t>(load_le<uint64_t>(head.data() + kHeaderSize - 16));
  if (encode_header(header_) != head)
    return failed(damaged("is damaged, or of another repository or set of sources"));
  return {};
}

void CacheReader::read_summary() {
  const auto info = file_->info();
  if (!info || info->size < kHeaderSize + kBlockHead + kEndSize) return;
  std::array<std::byte, kEndSize> end{};
  if (!read_exactly(*file_, end, info->size - kEndSize)) return;
  if (as_text(ByteView(end).subspan(8)) != kEnd) return;
  offset_ = load_le<uint64_t>(end.data());
  const auto type = read_block();
  if (!type || *type != kSummary) return;
  RecordReader in(block_, "summary of the local cache");
  CacheSummary summary = client::read_summary(in);
  if (in.done()) summary_ = std::move(summary);
  block_ = {};
}

Result<uint8_t> CacheReader::read_block() {
  std::array<std::byte, kBlockHead> head{};
  CB_TRY(read_exactly(*file_, head, offset_));
  const auto type = load_le<uint32_t>(head.data());
  const auto size = load_le<uint32_t>(head.data() + 4);
  if (size > kBlockMost || type < kEntries || type > kSummary)
    return failed(damaged("has an impossible block"));
  block_.resize(size);
  CB_TRY(read_exactly(*file_, block_, offset_ + kBlockHead));
  if (block_sum(block_) != load_le<uint64_t>(head.data() + 8))
    return failed(damaged("has a block with another checksum"));
  offset_ += kBlockHead + size;
  return static_cast<uint8_t>(type);
}

std::optional<CachedEntry> CacheReader::next() {
  if (ended_) return {};
  if (!in_) {
    const auto type = read_block();
    if (!type || *type != kEntries) {
      ended_ = true;
      return {};
    }
    in_.emplace(block_, "local cache");
    last_ = {};
    last_blob_ = {};
  }
  if (in_->byte() == 1) {
    read_cached(*in_, last_, last_blob_);
    if (in_->ok()) return last_;
  }
  ended_ = !in_->done();
  in_.reset();
  return next();
}

bool is_settled(const SourceStat& stat, int64_t scan_began_ns) {
  const int64_t border = scan_began_ns - kRacy;
  return stat.mtime_ns < border && stat.ctime_ns < border;
}

bool CacheReader::settled(const SourceStat& stat) const {
  return is_settled(stat, header_.time_ns);
}

}  // namespace cb::client
