// SPDX-License-Identifier: Apache-2.0
//
// See get.h.
#include "get.h"

#include <algorithm>
#include <memory>

#include "cyberbackup/cpp/failure.hpp"
#include "store.h"

namespace store_sqlite {

namespace {

struct CloseBlob {
  void operator()(sqlite3_blob* blob) const { ::sqlite3_blob_close(blob); }
};

}  // namespace

Get::Get(Store& store, int64_t content, uint64_t segment_size, uint64_t offset, uint64_t end)
    : store_(store), content_(content), segment_size_(segment_size), offset_(offset), end_(end) {}

Get::~Get() {
  if (pinned_) store_.locks().unpin(content_);
}

bool Get::pin() {
  pinned_ = store_.locks().pin(content_);
  return pinned_;
}

size_t Get::read(std::span<std::byte> into) {
  size_t got = 0;
  if (offset_ == end_) return got;
  const auto file = store_.readers().borrow();
  while (got < into.size() && offset_ < end_) got += read_segment(*file, into.subspan(got));
  return got;
}

// The blob is open, and with it a view of the database, only while its bytes are copied.
size_t Get::read_segment(Connection& file, std::span<std::byte> into) {
  const uint64_t index = offset_ / segment_size_;
  const uint64_t inside = offset_ % segment_size_;
  const uint64_t length = std::min({uint64_t{into.size()}, segment_size_ - inside, end_ - offset_});
  sqlite3_blob* opened = nullptr;
  int code =
      ::sqlite3_blob_open(file.get(), "main", "segment", "data",
                          content_ * kSegmentsPerContent + static_cast<int64_t>(index), 0, &opened);
  const std::unique_ptr<sqlite3_blob, CloseBlob> blob(opened);
  if (code == SQLITE_ERROR)
    throw cyberbackup::sdk::Failure(CB_E_CORRUPT, "a segment is missing in " + file.path(), 0,
                                    CB_ERROR_PERMANENT);
  if (code == SQLITE_OK &&
      static_cast<uint64_t>(::sqlite3_blob_bytes(blob.get())) < inside + length)
    throw cyberbackup::sdk::Failure(CB_E_CORRUPT, "a segment is too short in " + file.path(), 0,
                                    CB_ERROR_PERMANENT);
  if (code == SQLITE_OK)
    code = ::sqlite3_blob_read(blob.get(), into.data(), static_cast<int>(length),
                               static_cast<int>(inside));
  if (code != SQLITE_OK) file.fail("cannot read", code);
  offset_ += length;
  return static_cast<size_t>(length);
}

}  // namespace store_sqlite
